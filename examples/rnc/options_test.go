package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOptionsThatMakeNoSenseAreNamed(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))

	for args, want := range map[string]string{
		"":                              "no remote",
		"nonsense":                      `"nonsense"`,
		"h:1 -x":                        "-x",
		"h 1 2":                         `"2"`,
		"/run/a.sock 1":                 `"1" after a Unix socket`,
		"h:1 -q soon":                   "neither seconds nor a duration",
		"h:1 -q 1 -d":                   "-q",
		"h:1 -initial 0s":               "-initial",
		"h:1 -max 1ms":                  "-max",
		"h:1 -max-elapsed -1s":          "-max-elapsed",
		"h:1 -dial-timeout -1s":         "-dial-timeout",
		"h:1 -idle-timeout -1s":         "-idle-timeout",
		"h:1 -keepalive -1s":            "-keepalive",
		"h:1 -ca x":                     "-ca needs -tls",
		"h:1 -cert x":                   "-cert needs -tls",
		"h:1 -key x":                    "-key needs -tls",
		"h:1 -servername x":             "-servername needs -tls",
		"h:1 -insecure":                 "-insecure needs -tls",
		"h:1 -tls -key x":               "-key needs -cert",
		"h:1 -status=perhaps":           "-status",
		"h:1 -tls -ca " + dir + "/none": "-ca: open",
		"h:1 -tls -ca " + empty:         "-ca: " + empty,
		"h:1 -tls -cert " + dir + "/a":  "-cert: open",
		"/run/a.sock -once -tls":        "-servername",
	} {
		code, out, stderr := once(t, "", strings.Fields(args)...)
		assert.Equal(t, exitFailure, code, args)
		assert.Empty(t, out, args)
		assert.True(t, strings.HasPrefix(stderr, "rnc: "), "%s: %s", args, stderr)
		assert.Contains(t, stderr, want, args)
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"-help"}, {"h:1", "-v", "--help"}} {
		code, out, stderr := once(t, "", args...)
		assert.Equal(t, exitOK, code)
		assert.Equal(t, help, out)
		assert.Empty(t, stderr)
	}
}

func TestTheHelpTellsEveryOptionAndNoLineIsTooLong(t *testing.T) {
	for _, name := range []string{
		"q", "d", "once", "no-reconnect", "retries", "max-elapsed", "initial", "max", "dial-timeout",
		"idle-timeout", "keepalive", "tls", "ca", "cert", "key", "servername", "insecure", "v", "vv", "status", "h",
	} {
		assert.Regexp(t, `(?m)^  (-once, )?-`+name+`[, ]`, help)
	}
	for line := range strings.Lines(help) {
		assert.LessOrEqual(t, len(line), 81, line)
	}
}

func TestQuitTakesSecondsAndDurations(t *testing.T) {
	for text, want := range map[string]quitAfter{
		"0":     {after: 0},
		"3":     {after: 3 * time.Second},
		"0.5":   {after: 500 * time.Millisecond},
		"250ms": {after: 250 * time.Millisecond},
		"-1":    {after: -time.Second, never: true},
	} {
		var q quitAfter
		require.NoError(t, q.Set(text))
		assert.Equal(t, want, q)
	}
	assert.Equal(t, "-1", (&quitAfter{never: true}).String())
	assert.Equal(t, "3s", (&quitAfter{after: 3 * time.Second}).String())
}

func TestAZeroTurnsATimeoutOff(t *testing.T) {
	o, err := parse([]string{"h:1", "-dial-timeout", "0", "-keepalive", "0"})
	require.NoError(t, err)
	cfg, err := (&netcat{opts: o}).config(t.Context(), nil)
	require.NoError(t, err)
	assert.Negative(t, cfg.DialTimeout)
	assert.Negative(t, cfg.KeepAlive)
}

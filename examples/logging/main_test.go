package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/internal/demotest"
	"darvaza.org/x/net/reconnect"
)

func TestMain(m *testing.M) { demotest.Main(m, main) }

// entries parses the lines of a log, leaving out the titles.
func entries(t *testing.T, log string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(log) {
		if strings.HasPrefix(line, "---") {
			continue
		}
		var entry map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &entry), line)
		all = append(all, entry)
	}
	return all
}

// message finds that of an entry, under the name each library has for it.
func message(entry map[string]any) any {
	for _, key := range []string{"msg", "message"} {
		if m, ok := entry[key]; ok {
			return m
		}
	}
	return nil
}

func TestEveryLibraryTellsTheSameStory(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, run(t.Context(), &out, b.name, false))

			var story []any
			for _, e := range entries(t, out.String()) {
				story = append(story, message(e))
				assert.Contains(t, []any{"INFO", "info"}, e["level"], "%v", e)
				assert.Contains(t, e[reconnect.LogFieldAddress], "127.0.0.1:", "%v", e)
				assert.Equal(t, "tcp", e[reconnect.LogFieldNetwork], "%v", e)
			}
			want := []any{"connected", "disconnected", "connected", "disconnected", "stopped"}
			assert.Equal(t, want, story, "%s", &out)
			assert.Equal(t, "EOF", entries(t, out.String())[1][reconnect.LogFieldError])
		})
	}
}

func TestTheDebugLevelTellsMore(t *testing.T) {
	for _, b := range backends {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), &out, b.name, true))
		assert.Greater(t, len(entries(t, out.String())), 5, "%s", &out)
	}
}

func TestAnUnknownLibraryIsRefused(t *testing.T) {
	assert.ErrorContains(t, run(t.Context(), new(bytes.Buffer), "printf", false), `"printf"`)
}

func TestAnEndInTheMiddleIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	require.NoError(t, run(ctx, &out, "all", false))
	assert.NotContains(t, out.String(), "zap", "the second library was asked")
}

func TestTheProgramEndsByItself(t *testing.T) {
	out := demotest.Output(t, "-debug")
	for _, b := range backends {
		assert.Contains(t, out, "--- "+b.name+"\n")
	}
}

func TestTheProgramSaysWhyItFails(t *testing.T) {
	out, err := demotest.Program(t, "-backend", "printf").CombinedOutput()
	assert.Equal(t, 1, demotest.ExitCode(t, err))
	assert.Contains(t, string(out), "logging: no library")
}

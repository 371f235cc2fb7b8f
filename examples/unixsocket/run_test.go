package main

import (
	"bytes"
	"context"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// transcript is what the program prints.
func transcript() string {
	const story = `  service: listens
  client:  hears "welcome, guest 1"
  service: stops, and its socket is gone
  client:  can't connect, and goes on trying
  service: listens again
  client:  hears "welcome, guest 2"
`
	abstract := story
	if runtime.GOOS != "linux" {
		abstract = "  is for Linux alone\n"
	}
	return "a socket in a folder\n" + story + "an abstract socket\n" + abstract
}

// stopAfter is a page that calls stop with its last line.
type stopAfter struct {
	bytes.Buffer
	lines int
	stop  func()
}

func (s *stopAfter) Write(p []byte) (int, error) {
	if s.lines--; s.lines == 0 {
		s.stop()
	}
	return s.Buffer.Write(p)
}

func TestTheClientIsBackAsSoonAsTheServiceIs(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, transcript(), out.String())
}

func TestAnInterruptAtAnyLineIsACleanEnd(t *testing.T) {
	for n := range strings.Count(transcript(), "\n") {
		ctx, cancel := context.WithCancel(t.Context())
		out := &stopAfter{lines: n + 1, stop: cancel}
		err := run(ctx, out)
		assert.True(t, reconnect.IsNonError(err), "line %d: %v", n+1, err)
		assert.True(t, strings.HasPrefix(transcript(), out.String()), "line %d: %s", n+1, out)
		cancel()
	}
}

func TestAFolderThatIsNotThereIsAnError(t *testing.T) {
	var out bytes.Buffer
	err := visit(t.Context(), &out, filepath.Join(t.TempDir(), "no", "a.sock"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.Empty(t, out.String())
}

package demotest

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// A Play writes a story, until it is over or its context is.
type Play func(ctx context.Context, out io.Writer) error

// Prints fails the test unless play tells the story, whole and alone.
func Prints(t *testing.T, story string, play Play) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, play(t.Context(), &out))
	assert.Equal(t, story, out.String())
}

// Story fails the test unless the program, a process without arguments, tells the
// story, whole and alone, and ends well, and unless the README.md shows it, see
// [ReadmeShows].
func Story(t *testing.T, story string) {
	t.Helper()
	assert.Equal(t, story, Output(t))
	ReadmeShows(t, story)
}

// StopAtEveryLine runs play once for each line of the story, and cancels its
// context as that line is written. See [StopAtLine].
func StopAtEveryLine(t *testing.T, story string, play Play) {
	t.Helper()
	for n := range strings.Count(story, "\n") {
		StopAtLine(t, story, n+1, play)
	}
}

// StopAtLine runs play and cancels its context as line n of the story is
// written, counted from 1. The play has to return nil or the error of a stop
// that was asked for, and must have told nothing but the story's beginning.
func StopAtLine(t *testing.T, story string, n int, play Play) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &stopAfter{lines: n, stop: cancel}
	err := play(ctx, out)
	assert.LessOrEqual(t, out.lines, 0, "line %d never came", n)
	assert.True(t, reconnect.IsNonError(err), "line %d: %v", n, err)
	assert.True(t, strings.HasPrefix(story, out.told.String()), "line %d: %s", n, &out.told)
}

// stopAfter calls stop with its last line. Like a buffer it is for one writer at
// a time; it isn't one, whose WriteString would go past the count.
type stopAfter struct {
	told  bytes.Buffer
	lines int
	stop  func()
}

func (s *stopAfter) Write(p []byte) (int, error) {
	if s.lines--; s.lines == 0 {
		s.stop()
	}
	return s.told.Write(p)
}

// ReadmeShows fails the test unless the one block of output in the README.md of
// the test's folder is a part of the story.
func ReadmeShows(t *testing.T, story string) {
	t.Helper()
	page, err := os.ReadFile("README.md")
	require.NoError(t, err)
	parts := strings.Split(string(page), "```\n")
	require.Len(t, parts, 3)
	assert.Contains(t, story, parts[1])
}

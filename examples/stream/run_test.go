package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// transcript is what the program prints.
const transcript = `alice says "hello, is anybody there?"
  alice hears "alice: hello, is anybody there?"
  bob   hears "alice: hello, is anybody there?"
bob says "hello alice"
  alice hears "bob: hello alice"
  bob   hears "bob: hello alice"
bob loses his connection
alice says "you know what?"
  alice hears "alice: you know what?"
alice says "it has begun to snow"
  alice hears "alice: it has begun to snow"
bob is back
  bob   hears "alice: you know what?"
  bob   hears "alice: it has begun to snow"
bob says "I see"
  alice hears "bob: I see"
  bob   hears "bob: I see"
`

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

func TestAMemberThatWasAwayHearsWhatWasSaidMeanwhile(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, transcript, out.String())
}

func TestAnInterruptAtAnyLineIsACleanEnd(t *testing.T) {
	for n := range strings.Count(transcript, "\n") {
		ctx, cancel := context.WithCancel(t.Context())
		out := &stopAfter{lines: n + 1, stop: cancel}
		err := run(ctx, out)
		assert.True(t, reconnect.IsNonError(err), "line %d: %v", n+1, err)
		assert.True(t, strings.HasPrefix(transcript, out.String()), "line %d: %s", n+1, out)
		cancel()
	}
}

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/reconnect"
)

// transcript is what the program prints.
const transcript = `client: served by the primary
server: the primary stops
client: served by the secondary
server: the primary is back
client: still served by the secondary, which works
client: asked to reconnect
client: served by the primary
client: 3 sessions, 3 attempts, 0 of them failed
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

func TestTheSecondaryServesUntilTheNextReconnect(t *testing.T) {
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

func TestStatusTellsWhichRemoteServes(t *testing.T) {
	primary, err := startServer("the primary")
	require.NoError(t, err)
	primary.Stop()
	defer func() { assert.NoError(t, primary.Close()) }()
	secondary, err := startServer("the secondary")
	require.NoError(t, err)
	defer func() { assert.NoError(t, secondary.Close()) }()

	c, err := newCustomer(t.Context(), primary.Remote(), secondary.Remote())
	require.NoError(t, err)
	defer func() { assert.NoError(t, c.shutdown()) }()
	require.NoError(t, c.client.Connect())
	name, err := c.next()
	require.NoError(t, err)
	assert.Equal(t, "the secondary", name)
	assert.Equal(t, secondary.Remote(), c.client.Status().Remote)
}

func TestAnAlternateThatMakesNoSenseIsAnError(t *testing.T) {
	_, err := newCustomer(t.Context(), "primary.example:7", "secondary.example")
	assert.ErrorIs(t, err, core.ErrInvalid)
	assert.ErrorContains(t, err, "Alternates")
}

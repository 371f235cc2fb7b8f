package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/examples/internal/demotest"
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

func TestTheSecondaryServesUntilTheNextReconnect(t *testing.T) {
	demotest.Prints(t, transcript, run)
}

func TestAnInterruptAtAnyLineIsACleanEnd(t *testing.T) {
	demotest.StopAtEveryLine(t, transcript, run)
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

package lifecycle_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/lifecycle"
)

func TestStateStringIsItsNameInLowerCase(t *testing.T) {
	for state, name := range map[lifecycle.State]string{
		lifecycle.Idle:       "idle",
		lifecycle.Connecting: "connecting",
		lifecycle.Connected:  "connected",
		lifecycle.Waiting:    "waiting",
		lifecycle.Stopped:    "stopped",
	} {
		assert.Equal(t, name, state.String())
	}
	assert.Equal(t, "State(9)", lifecycle.State(9).String())
	assert.Equal(t, "State(5)", (lifecycle.Stopped + 1).String())
}

func TestStateZeroValueIsIdle(t *testing.T) {
	var s lifecycle.State
	assert.Equal(t, lifecycle.Idle, s)
}

func TestStateIsReadableInJSON(t *testing.T) {
	b, err := json.Marshal(map[string]lifecycle.State{"state": lifecycle.Waiting})
	require.NoError(t, err)
	assert.JSONEq(t, `{"state":"waiting"}`, string(b))
}

package lifecycle

import (
	"strconv"
)

// State is what a client is doing. The zero value is [Idle].
type State uint8

const (
	// Idle is a client that wasn't asked to connect yet.
	Idle State = iota
	// Connecting is a client that is dialling, or in its handshake.
	Connecting
	// Connected is a client with a connection that is ready for use.
	Connected
	// Waiting is a client that lets time pass before its next attempt.
	Waiting
	// Stopped is a client that has ended for good. No other state follows.
	Stopped
)

var stateNames = [...]string{
	Idle:       "idle",
	Connecting: "connecting",
	Connected:  "connected",
	Waiting:    "waiting",
	Stopped:    "stopped",
}

// String gives the name of the state in lower case, and State(n) for a number
// that names none.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "State(" + strconv.Itoa(int(s)) + ")"
}

// MarshalText gives the same text as [State.String], so that a state is readable
// in JSON and in logs. The error is always nil.
func (s State) MarshalText() ([]byte, error) {
	return []byte(s.String()), nil
}

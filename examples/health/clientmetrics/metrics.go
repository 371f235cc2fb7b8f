package clientmetrics

import (
	"time"

	"darvaza.org/x/net/reconnect"
)

// The metrics, in the order in which they are reported.
var metrics = []metric{
	gauge("up", "Whether the client is connected.",
		func(st reconnect.Status) float64 { return one(st.State == reconnect.Connected) }),
	labelled("state", "What the client is doing: 1 for its state, 0 for the others.", "state", reportState),
	labelled("remote_info", "The remote in use, or the one tried last.", "remote", reportRemote),
	gauge("attempt", "Number of the attempt since the last session that was stable.",
		func(st reconnect.Status) float64 { return float64(st.Attempt) }),

	counter("attempts", "Attempts to connect.",
		func(st reconnect.Status) uint64 { return st.Attempts }),
	counter("failures", "Attempts that failed, other than by being cut short on request.",
		func(st reconnect.Status) uint64 { return st.Failures }),
	counter("sessions", "Connections that were ready for use.",
		func(st reconnect.Status) uint64 { return st.Sessions }),
	counter("read_bytes", "Bytes read through the client.",
		func(st reconnect.Status) uint64 { return st.BytesRead }),
	counter("written_bytes", "Bytes written through the client.",
		func(st reconnect.Status) uint64 { return st.BytesWritten }),

	moment("state_since", "When the client entered its state.",
		func(st reconnect.Status) time.Time { return st.Since }),
	moment("connected_since", "When the connection became ready for use; missing without one.",
		func(st reconnect.Status) time.Time { return st.ConnectedSince }),
	moment("last_error", "When the latest failure happened; missing before the first.",
		func(st reconnect.Status) time.Time { return st.LastErrorAt }),
	moment("next_attempt", "When the next attempt is due; missing unless the client waits for it.",
		func(st reconnect.Status) time.Time { return st.NextAttempt }),
}

// states are the values of the label "state".
var states = []reconnect.State{
	reconnect.Idle,
	reconnect.Connecting,
	reconnect.Connected,
	reconnect.Waiting,
	reconnect.Stopped,
}

func reportState(st reconnect.Status, emit emitFunc) {
	for _, state := range states {
		emit(one(st.State == state), state.String())
	}
}

func reportRemote(st reconnect.Status, emit emitFunc) { emit(1, st.Remote) }

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

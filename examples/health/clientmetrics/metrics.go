package clientmetrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"darvaza.org/x/net/reconnect"
)

// states are the values of the label "state".
var states = []reconnect.State{
	reconnect.Idle,
	reconnect.Connecting,
	reconnect.Connected,
	reconnect.Waiting,
	reconnect.Stopped,
}

// The metrics, in the order in which they are reported.
var (
	up = describe("up",
		"Whether the client is connected.")
	inState = describe("state",
		"What the client is doing: 1 for its state, 0 for the others.", "state")
	remote = describe("remote_info",
		"The remote in use, or to be tried next.", "remote")
	attempt = describe("attempt",
		"Number of the attempt since the last session that was stable.")

	attempts = describe("attempts_total",
		"Attempts to connect.")
	failures = describe("failures_total",
		"Attempts that led to no connection.")
	sessions = describe("sessions_total",
		"Connections that were ready for use.")
	bytesRead = describe("read_bytes_total",
		"Bytes read through the client.")
	bytesWritten = describe("written_bytes_total",
		"Bytes written through the client.")

	stateSince = describe("state_since_timestamp_seconds",
		"When the client entered its state.")
	connectedSince = describe("connected_since_timestamp_seconds",
		"When the connection became ready for use; missing without one.")
	lastError = describe("last_error_timestamp_seconds",
		"When the latest failure happened; missing before the first.")
	nextAttempt = describe("next_attempt_timestamp_seconds",
		"When the next attempt is due; missing unless the client waits for it.")

	descs = []*prometheus.Desc{
		up, inState, remote, attempt,
		attempts, failures, sessions, bytesRead, bytesWritten,
		stateSince, connectedSince, lastError, nextAttempt,
	}
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("reconnect", "client", name), help, labels, nil)
}

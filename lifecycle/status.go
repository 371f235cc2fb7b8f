package lifecycle

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Status is a snapshot of a client: what it does, since when, and how it fared
// so far. It is a plain value, to be copied and kept as one likes.
type Status struct {
	// Version grows with every change that is worth a new snapshot. Two
	// snapshots of one client with the same version tell the same story, apart
	// from the bytes counted meanwhile.
	Version uint64

	// State is what the client is doing, and Since the time it started to.
	State State
	Since time.Time

	// Remote is the address in use, or the one tried last, as configured. Before
	// the first attempt it is the one to begin with.
	Remote string

	// Attempt numbers the attempts since the last session that was stable. It
	// is zero before the first.
	Attempt int

	// LastError is the latest failure, and LastErrorAt its time. They stay when
	// a later attempt succeeds; nil and zero say that nothing failed so far.
	LastError   error
	LastErrorAt time.Time

	// NextAttempt is when the next attempt is due, as far as that is known.
	// It is zero unless the client is waiting.
	NextAttempt time.Time

	// ConnectedSince is when the connection became ready for use. It is zero
	// unless the state is Connected.
	ConnectedSince time.Time

	// Attempts counts all attempts to connect, Failures those that failed and not
	// those that were cut short on request, and Sessions the connections that were
	// ready for use.
	Attempts uint64
	Failures uint64
	Sessions uint64

	// BytesRead and BytesWritten count what went through the client, over all
	// of its connections. What a callback moves on the connection itself isn't seen.
	BytesRead    uint64
	BytesWritten uint64
}

// String gives the essence on one line, for logs and for people.
func (s Status) String() string {
	var b strings.Builder

	b.WriteString(s.State.String())
	if s.Remote != "" {
		fmt.Fprintf(&b, " remote=%s", oneLine(s.Remote))
	}
	fmt.Fprintf(&b, " attempt=%d attempts=%d failures=%d sessions=%d read=%d written=%d",
		s.Attempt, s.Attempts, s.Failures, s.Sessions, s.BytesRead, s.BytesWritten)
	if s.LastError != nil {
		// fmt survives an Error method that panics.
		fmt.Fprintf(&b, " error=%q", s.LastError)
	}
	return b.String()
}

// oneLine quotes a text that would take more lines than one. The name of a Unix
// socket may.
func oneLine(s string) string {
	if strings.ContainsAny(s, "\r\n") {
		return strconv.Quote(s)
	}
	return s
}

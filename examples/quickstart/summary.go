package main

import (
	"fmt"
	"io"
	"time"
)

// A result is what came of one run.
type result struct {
	network  string
	sessions int
	lost     int // connections
	failed   int // attempts
	survived int // of both
	down     time.Duration
	downMost time.Duration

	messages int
	echoed   int
	resent   int // by the client
	again    int // of these, what the server had got before
	missing  int // never delivered, though the run was complete
	doubled  int
}

// ok tells if each message was delivered and echoed, once.
func (r result) ok() bool {
	return r.missing == 0 && r.doubled == 0 && r.echoed == r.messages
}

// summarise prints the results side by side.
func summarise(w io.Writer, results []result) {
	row := func(name string, value func(result) any) {
		_, _ = fmt.Fprintf(w, "%-34s", name)
		for _, r := range results {
			_, _ = fmt.Fprintf(w, "%10v", value(r))
		}
		_, _ = fmt.Fprintln(w)
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

	row("summary", func(r result) any { return r.network })
	row("sessions", func(r result) any { return r.sessions })
	row("failures survived", func(r result) any { return r.survived })
	row("  connections lost", func(r result) any { return r.lost })
	row("  attempts failed", func(r result) any { return r.failed })
	row("time without a connection", func(r result) any { return ms(r.down) })
	row("  the longest", func(r result) any { return ms(r.downMost) })
	row("messages", func(r result) any { return r.messages })
	row("  echoed", func(r result) any { return r.echoed })
	row("  sent again, for lack of an echo", func(r result) any { return r.resent })
	row("  of which had arrived before", func(r result) any { return r.again })
	row("  lost", func(r result) any { return r.missing })
	row("  doubled", func(r result) any { return r.doubled })
}

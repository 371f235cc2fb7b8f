package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"darvaza.org/x/net/reconnect"
)

// A statusLine shows what the client is at. Drawn, it is a single line that
// changes in place, counts down, and goes away when there is a connection, which
// it leaves the terminal to. Otherwise each change is a line of its own.
type statusLine struct {
	w     io.Writer
	drawn bool
	shown string
}

// newStatusLine makes one if it is wanted: on a terminal, unless the log says
// the same there, or when asked for.
func newStatusLine(o *options, std stdio) (*statusLine, bool) {
	logged := o.verbose || o.debug
	wanted := std.terminal && !logged
	if o.status != nil {
		wanted = *o.status
	}
	return &statusLine{w: std.err, drawn: std.terminal && !logged}, wanted
}

// follow shows the status until ctx ends.
func (s *statusLine) follow(ctx context.Context, client *reconnect.Client) error {
	st := client.Status()
	for ctx.Err() == nil {
		s.show(st)
		st = s.next(ctx, client, st)
	}
	if s.drawn {
		s.draw("")
	}
	return nil
}

// next waits for another status, for at most a second where there is a
// countdown.
func (s *statusLine) next(ctx context.Context, client *reconnect.Client, st reconnect.Status) reconnect.Status {
	if s.drawn && st.State == reconnect.Waiting {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Second)
		defer cancel()
	}
	st, _ = client.WaitStatus(ctx, st.Version)
	return st
}

func (s *statusLine) show(st reconnect.Status) {
	text := s.text(st)
	switch {
	case text == "" || text == s.shown:
		return
	case !s.drawn:
		_, _ = fmt.Fprintf(s.w, "rnc: %s\n", text)
	case st.State == reconnect.Connected:
		s.draw("")
		_, _ = fmt.Fprintf(s.w, "rnc: %s\n", text)
	default:
		s.draw("rnc: " + text)
	}
	s.shown = text
}

// width is what fits on one line of any terminal: what wraps can't be replaced.
const width = 79

// draw replaces the line on the terminal.
func (s *statusLine) draw(text string) {
	if runes := []rune(text); len(runes) > width {
		text = string(runes[:width-1]) + "…"
	}
	_, _ = fmt.Fprintf(s.w, "\r\x1b[K%s", text)
}

// text is what there is to say, if anything.
func (s *statusLine) text(st reconnect.Status) string {
	switch st.State {
	case reconnect.Connecting:
		return "connecting to " + st.Remote
	case reconnect.Connected:
		return "connected to " + st.Remote
	case reconnect.Waiting:
		text := "not connected to " + st.Remote
		if st.LastError != nil {
			text += ": " + brief(st.LastError)
		}
		if st.NextAttempt.IsZero() {
			return "" // the wait has hardly begun
		}
		wait := max(time.Until(st.NextAttempt), 0)
		if s.drawn {
			return fmt.Sprintf("%s; attempt %d in %.0fs", text, st.Attempt+1, wait.Seconds())
		}
		return fmt.Sprintf("%s; attempt %d in %v", text, st.Attempt+1, wait.Round(10*time.Millisecond))
	default:
		return ""
	}
}

// brief is the innermost error, on one line: the rest names the remote once more.
func brief(err error) string {
	for next := err; next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

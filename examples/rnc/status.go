package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
		_, _ = fmt.Fprintln(s.w, prefix+text)
	case st.State == reconnect.Connected:
		s.draw("")
		_, _ = fmt.Fprintln(s.w, prefix+text)
	default:
		s.draw(prefix + text)
	}
	s.shown = text
}

const prefix = "rnc: "

// width is what fits on one line of any terminal: what wraps can't be replaced.
const width = 79

// draw replaces the line on the terminal.
func (s *statusLine) draw(text string) {
	_, _ = fmt.Fprintf(s.w, "\r\x1b[K%s", shorten(text, width))
}

// shorten leaves no more than n characters of a text, and says so.
func shorten(text string, n int) string {
	runes := []rune(text)
	switch {
	case len(runes) <= n:
		return text
	case n <= 0:
		return ""
	default:
		return string(runes[:n-1]) + "…"
	}
}

// text is what there is to say, if anything.
func (s *statusLine) text(st reconnect.Status) string {
	switch st.State {
	case reconnect.Connecting:
		return "connecting to " + st.Remote
	case reconnect.Connected:
		return "connected to " + st.Remote
	case reconnect.Waiting:
		if st.NextAttempt.IsZero() {
			return "" // the wait has hardly begun
		}
		lost := "not connected to " + st.Remote
		why := ""
		if st.LastError != nil {
			why = ": " + brief(st.LastError)
		}
		wait := max(time.Until(st.NextAttempt), 0)
		if s.drawn {
			next := fmt.Sprintf("; attempt %d in %.0fs", st.Attempt+1, wait.Seconds())
			return lost + shorten(why, width-utf8.RuneCountInString(prefix+lost+next)) + next
		}
		return fmt.Sprintf("%s%s; attempt %d in %v", lost, why, st.Attempt+1, wait.Round(10*time.Millisecond))
	default:
		return ""
	}
}

// brief is what is innermost in an error, on one line: the rest names the remote once
// more.
func brief(err error) string {
	return strings.Join(innermost(err), "; ")
}

// innermost gives each cause once. There is one for each address of a name.
func innermost(err error) []string {
	var inner []error
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		inner = []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		inner = e.Unwrap()
	}
	var all []string
	for _, err := range inner {
		if err == nil {
			continue
		}
		for _, cause := range innermost(err) {
			if !slices.Contains(all, cause) {
				all = append(all, cause)
			}
		}
	}
	if len(all) == 0 {
		all = []string{strings.Join(strings.Fields(err.Error()), " ")}
	}
	return all
}

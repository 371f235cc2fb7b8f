package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
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

	mu      sync.Mutex
	version uint64 // of the status that was shown last
	shown   string
	here    bool // it is on the terminal
}

// newStatusLine makes one if it is wanted, on a terminal, unless the log says
// the same there, or when asked for. Otherwise it returns nil.
func newStatusLine(o *options, std stdio) *statusLine {
	logged := o.verbose || o.debug
	wanted := std.terminal && !logged
	if o.status != nil {
		wanted = *o.status
	}
	if !wanted {
		return nil
	}
	return &statusLine{w: std.err, drawn: std.terminal && !logged}
}

// follow shows also what comes between two changes of state, until ctx ends.
func (s *statusLine) follow(ctx context.Context, client *reconnect.Client) error {
	st := client.Status()
	for ctx.Err() == nil {
		s.show(st)
		st = s.next(ctx, client, st)
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

// onState makes an OnState. A client whose context is over stops before there is any to
// ask for its status.
func (s *statusLine) onState(status func() reconnect.Status) func(from, to reconnect.State) {
	return func(_, to reconnect.State) {
		if to == reconnect.Stopped {
			s.end()
			return
		}
		s.show(status())
	}
}

// show shows a status that is no older than the last one. The client's loop shows each
// change of state, so that none is missed, and what is received comes after the line about
// its connection.
func (s *statusLine) show(st reconnect.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.Version < s.version {
		return
	}
	s.version = st.Version
	text := s.text(st)
	switch {
	case text == "" || text == s.shown:
		return
	case s.drawn && st.State != reconnect.Connected:
		s.draw(prefix + text)
	default:
		s.erase()
		_, _ = fmt.Fprintln(s.w, prefix+text)
	}
	s.shown = text
}

// end is for when the client has stopped: the line goes away.
func (s *statusLine) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = math.MaxUint64 // nothing is shown any more
	s.erase()
}

const prefix = "rnc: "

// width is what fits on one line of most terminals.
const width = 79

// draw replaces the line on the terminal. On a narrower one it must not wrap: what does
// can't be replaced.
func (s *statusLine) draw(text string) {
	_, _ = fmt.Fprintf(s.w, "\r\x1b[K\x1b[?7l%s\x1b[?7h", shorten(text, width))
	s.here = true
}

// erase takes the line away, if it is there. What others have written isn't touched.
func (s *statusLine) erase() {
	if s.here {
		_, _ = io.WriteString(s.w, "\r\x1b[K")
		s.here = false
	}
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
		remote, why := st.Remote, ""
		if st.LastError != nil {
			why = ": " + brief(st.LastError)
		}
		const lost = "not connected to "
		wait := max(time.Until(st.NextAttempt), 0)
		if s.drawn {
			next := fmt.Sprintf("; attempt %d in %.0fs", st.Attempt+1, wait.Seconds())
			room := width - len(prefix+lost+next)
			remote = shorten(remote, max(room*2/3, room-utf8.RuneCountInString(why)))
			return lost + remote + shorten(why, room-utf8.RuneCountInString(remote)) + next
		}
		return fmt.Sprintf("%s%s%s; attempt %d in %v", lost, remote, why, st.Attempt+1, wait.Round(10*time.Millisecond))
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
	case *net.DNSError:
		return []string{e.Err}
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

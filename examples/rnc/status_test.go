package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/examples/internal/demotest"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestTheStatusIsShownOnATerminalUnlessTheLogIs(t *testing.T) {
	for _, c := range []struct {
		args          string
		terminal      bool
		wanted, drawn bool
	}{
		{"h:1", false, false, false},
		{"h:1", true, true, true},
		{"h:1 -v", true, false, false},
		{"h:1 -status", false, true, false},
		{"h:1 -status", true, true, true},
		{"h:1 -status -vv", true, true, false},
		{"h:1 -status=false", true, false, false},
	} {
		o, err := parse(strings.Fields(c.args))
		require.NoError(t, err)
		s := newStatusLine(o, stdio{err: io.Discard, terminal: c.terminal})
		assert.Equal(t, c.wanted, s != nil, c.args)
		assert.Equal(t, c.drawn, s != nil && s.drawn, c.args)
	}
}

// story is what a client goes through, at the present time.
func story() []reconnect.Status {
	lost := fmt.Errorf("dial h:1: %w", errors.New("connection\nrefused"))
	next := time.Now().Add(2 * time.Second)
	return []reconnect.Status{
		{State: reconnect.Idle, Remote: "h:1"},
		{State: reconnect.Connecting, Remote: "h:1"},
		{State: reconnect.Waiting, Remote: "h:1", LastError: lost, Attempt: 1},
		{State: reconnect.Waiting, Remote: "h:1", LastError: lost, Attempt: 1, NextAttempt: next},
		{State: reconnect.Connected, Remote: "h:1"},
		{State: reconnect.Connected, Remote: "h:1"},
	}
}

func TestWithoutATerminalEachChangeIsALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(demotest.Page)
		s := statusLine{w: out}
		for _, st := range story() {
			s.show(st)
		}
		assert.Equal(t, `rnc: connecting to h:1
rnc: not connected to h:1: connection refused; attempt 2 in 2s
rnc: connected to h:1
`, out.String())
	})
}

// drawn is how a line gets on the terminal.
func drawn(text string) string { return "\r\x1b[K\x1b[?7l" + text + "\x1b[?7h" }

func TestOnATerminalTheLineChangesInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(demotest.Page)
		s := statusLine{w: out, drawn: true}
		for _, st := range story() {
			s.show(st)
		}
		want := drawn("rnc: connecting to h:1") +
			drawn("rnc: not connected to h:1: connection refused; attempt 2 in 2s") +
			"\r\x1b[Krnc: connected to h:1\n"
		assert.Equal(t, want, out.String())
	})
}

func TestALineThatIsTooLongIsCut(t *testing.T) {
	out := new(demotest.Page)
	(&statusLine{w: out, drawn: true}).draw(strings.Repeat("é", 200))
	assert.Equal(t, drawn(strings.Repeat("é", width-1)+"…"), out.String())
}

func TestALongCauseIsCutAndNotTheCountdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ remote, cause, want string }{
			{"h:1", strings.Repeat("é", 200), "rnc: not connected to h:1: " + strings.Repeat("é", 34) + "…; attempt 2 in 2s"},
			{strings.Repeat("h", 31), "refused", "rnc: not connected to " + strings.Repeat("h", 31) + ": refused; attempt 2 in 2s"},
			{strings.Repeat("h", 90), "refused", "rnc: not connected to " + strings.Repeat("h", 30) + "…: refused; attempt 2 in 2s"},
			{strings.Repeat("h", 90), strings.Repeat("é", 90), "rnc: not connected to " + strings.Repeat("h", 25) + "…: " + strings.Repeat("é", 11) + "…; attempt 2 in 2s"},
		} {
			out := new(demotest.Page)
			s := statusLine{w: out, drawn: true}
			s.show(reconnect.Status{State: reconnect.Waiting, Remote: c.remote, LastError: errors.New(c.cause),
				Attempt: 1, NextAttempt: time.Now().Add(2 * time.Second)})
			assert.Equal(t, drawn(c.want), out.String())
			assert.LessOrEqual(t, utf8.RuneCountInString(c.want), width)
		}
	})
}

func TestTheCauseIsShownForANameToo(t *testing.T) {
	server := testutil.NewEchoServer(t, "tcp")
	_, port, err := net.SplitHostPort(server.Addr().String())
	require.NoError(t, err)
	server.Stop()

	_, err = dialer.New(dialer.Config{}).DialContext(t.Context(), "tcp", net.JoinHostPort("localhost", port))
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	assert.Equal(t, syscall.ECONNREFUSED.Error(), brief(err))

	lookup := &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}
	assert.Equal(t, lookup.Err, brief(fmt.Errorf("dial: %w", lookup)))

	several := fmt.Errorf("h: %w", errors.Join(io.EOF, fmt.Errorf("again: %w", io.EOF), errors.New("no\nroute")))
	assert.Equal(t, "EOF; no route", brief(several))
}

func TestTheWaitIsCountedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(demotest.Page)
		s := statusLine{w: out, drawn: true}
		var client *reconnect.Client
		client, err := reconnect.New(&reconnect.Config{
			Context:       t.Context(),
			Remote:        "h:1",
			Dialer:        refusing(t),
			WaitReconnect: reconnect.NewConstantWaiter(time.Minute),
			OnState:       s.onState(func() reconnect.Status { return client.Status() }),
		})
		require.NoError(t, err)
		client.Go(func(ctx context.Context) error { return s.follow(ctx, client) })
		require.NoError(t, client.Connect())
		time.Sleep(3500 * time.Millisecond)
		waiting := client.Status()
		require.NoError(t, client.Shutdown(t.Context()))
		s.show(waiting) // by whoever is late
		for _, left := range []string{"in 60s", "in 59s", "in 58s", "in 57s"} {
			assert.Contains(t, out.String(), left)
		}
		assert.True(t, strings.HasSuffix(out.String(), "\r\x1b[K"), "the line is left behind")
	})
}

func refusing(t *testing.T) reconnect.Dialer {
	p := testutil.Pipe(nil)
	t.Cleanup(func() { _ = p.Close() })
	p.Refuse(testutil.ConnRefused("tcp", "h:1"))
	return p
}

func TestAnActivityIsIdleOnlyWhenTheRemoteIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		a := newActivity()
		ended := make(chan error, 1)
		go func() { ended <- a.watch(t.Context(), 10*time.Second) }()

		time.Sleep(9 * time.Second)
		a.touch()
		time.Sleep(9 * time.Second)
		done := a.writing() // of an output that takes its time
		time.Sleep(time.Hour)
		done()
		idle := time.Now()

		var err *idleError
		require.ErrorAs(t, <-ended, &err)
		assert.False(t, reconnect.IsFatal(err))
		assert.GreaterOrEqual(t, time.Since(idle), 10*time.Second)
		assert.Greater(t, time.Since(start), time.Hour)
	})
}

func TestListeningCountsNoTimeOfTheOutput(t *testing.T) {
	listening := func(t *testing.T, a *activity) <-chan time.Duration {
		took := make(chan time.Duration, 1)
		start := time.Now()
		go func() {
			a.listen(t.Context(), lastWords)
			took <- time.Since(start)
		}()
		return took
	}
	late := lastWords / 10
	t.Run("before", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := newActivity()
			done := a.writing()
			time.Sleep(time.Hour)
			took := listening(t, a)
			time.Sleep(time.Minute)
			done()
			assert.InDelta(t, time.Minute+lastWords, <-took, float64(late))
		})
	})
	t.Run("most of the time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := newActivity()
			done := a.writing()
			took := listening(t, a)
			for range 30 { // so that a tenth of each second is left
				time.Sleep(lastWords * 9 / 10)
				done()
				time.Sleep(lastWords / 10)
				done = a.writing()
			}
			assert.InDelta(t, 10*lastWords, <-took, float64(lastWords))
		})
	})
}

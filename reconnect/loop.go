package reconnect

import (
	"context"
	"time"

	"darvaza.org/core"

	"darvaza.org/x/net/lifecycle"
	"darvaza.org/x/net/waiter"
)

// loop is the memory of the loop from one turn to the next. The loop alone
// touches it.
type loop struct {
	draft  *snapshot // of the status to come
	step   int       // waits completed since the last stable session: where the backoff is
	ended  error     // what ended the last attempt or session
	uptime time.Duration
	lostAt time.Time // since when there has been no stable session
}

// run is the loop: dial, serve, judge, wait, and again. Each turn has a context
// of its own, which Reconnect, a Reload or the stop can end; the wait belongs to
// the turn of the dial that follows it.
//
// Dialling takes a deep stack, which a goroutine hardly ever gives back. So a
// connection is served by a new goroutine, and run goes on there at the end of
// the session: an idle one costs what a bare connection does.
func (c *Client) run(s *session) {
	movedOn := false
	defer func() {
		if movedOn {
			return
		}
		// Callbacks are taken care of, see call; but the methods of a connection
		// or a logger may be the user's, too. To cancel calls such a method again.
		defer c.finish()
		if p := core.AsRecovered(recover()); p != nil {
			c.Cancel(p)
		}
		c.Cancel(lifecycle.ErrGoexit) // without effect where the end was a proper one
	}()

	if s.stage == stageSession {
		s = c.next(s, c.served(s))
	}
	for s != nil {
		err := c.establish(s)
		if err == nil {
			movedOn = true
			s.serve()
			return
		}
		s = c.next(s, err)
	}
}

// next judges how a turn ended, waits, and begins the next one. It returns nil
// when the client stops.
func (c *Client) next(s *session, err error) *session {
	if v := c.judge(s, err); v.Stop {
		c.stop(v, s.stage.prefix())
		return nil
	}
	if c.Context().Err() != nil {
		return nil // though all went well
	}
	again := isRedial(context.Cause(s))
	s = c.begin()
	if again || c.redial.Load() {
		return s
	}
	err = c.wait(s)
	switch {
	case c.Context().Err() != nil:
		if err != nil && err != context.Canceled && !same(err, context.Cause(s)) { // more than that the wait was cut short
			c.logDebug("WaitReconnect failed", err)
		}
		return nil
	case s.Err() != nil && !lifecycle.IsFinal(err): // cut short: dial at once, from the same step
		return c.begin()
	case err != nil:
		c.stop(c.refused(err), "WaitReconnect: ")
		return nil
	}
	c.loop.step++
	return s
}

// wait runs WaitReconnect for the attempt to come.
func (c *Client) wait(s *session) error {
	c.to(lifecycle.Waiting)
	c.answer(nil) // not before the Status knows how the attempt went
	if cause := c.over(s); cause != nil {
		return cause
	}
	set := c.settings.Load()
	ctx := waiter.WithAttempt(waiter.OnSleep(s, s.nextAttempt), waiter.Attempt{
		Number:   c.loop.step,
		Err:      c.loop.ended,
		Uptime:   c.loop.uptime,
		Downtime: time.Since(c.loop.lostAt),
	})
	return c.call(func() error { return set.wait(ctx) })
}

// call runs a callback in the loop. Its panic becomes an error. A callback that
// ends the goroutine stops the client: there would be nobody to go on.
func (c *Client) call(fn func() error) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if p := recover(); p != nil {
			err = lifecycle.Recovered(p)
		} else {
			c.Cancel(lifecycle.ErrGoexit)
		}
	}()
	err = fn()
	returned = true
	return err
}

// finish has the last word of the loop, or of a client that never had one.
func (c *Client) finish() {
	defer func() {
		c.answer(nil)
		if c.phase.Load() == phaseLoop {
			c.group.Release()
		}
	}()
	defer func() {
		_ = c.call(func() error {
			c.logStopped()
			return nil
		})
	}()
	c.to(lifecycle.Stopped)
}

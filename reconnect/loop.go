package reconnect

import (
	"context"
	"time"

	"darvaza.org/core"

	"darvaza.org/x/net/lifecycle"
	"darvaza.org/x/net/waiter"
)

// loop is the memory of the loop from one turn to the next. Its goroutine alone
// touches it.
type loop struct {
	first   chan<- error // takes the result of the first attempt, for Connect
	attempt int          // attempts since the last stable session, this one included
	step    int          // waits completed since then: where the backoff is
	ended   error        // what ended the last attempt or session
	uptime  time.Duration
	lostAt  time.Time // since when there has been no stable session

	lastErr   error // the last that wasn't nil
	lastErrAt time.Time
	lastStage stage
	remote    remote // the one tried last
	attempts  uint64
	failures  uint64
	sessions  uint64
}

// run is the loop: dial, serve, judge, wait, and again. It is a worker of the
// group, which makes its end part of Done. Each turn has a context of its own,
// which Reconnect, a Reload or the stop can end; the wait belongs to the turn
// of the dial that follows it.
func (c *Client) run() {
	defer c.finish()
	c.loop.lostAt = time.Now()

	for s := c.begin(); ; {
		c.redial.Store(false) // this dial is what was asked for
		err := c.dial(s)
		if err == nil {
			err = c.serve(s)
		}
		if v := c.judge(s, err); v.Stop {
			c.stop(v)
			return
		}
		again := isRedial(context.Cause(s))

		s = c.begin()
		if again || c.redial.Load() {
			continue
		}
		c.answer(nil)
		err = c.wait(s)
		switch {
		case c.Context().Err() != nil:
			return
		case s.Err() != nil: // cut short: dial at once, from the same step
			s = c.begin()
		case err != nil:
			c.stop(c.refused(err))
			return
		default:
			c.loop.step++
		}
	}
}

// serve runs the callbacks of one connection. What is deferred runs also when
// a callback ends the goroutine.
func (c *Client) serve(s *session) error {
	defer c.hangUp(s)
	set := c.settings.Load()
	if err := c.handshake(s, set); err != nil {
		return err
	}

	defer c.disconnect(s)
	s.stage = stageSession
	c.current.Store(s)
	s.rebound(c.settings.Load()) // a Reload may have looked for it before
	c.connected(s)
	c.answer(nil)
	if cause := c.over(s); cause != nil {
		return s.outcome(cause)
	}
	return s.outcome(c.call(func() error { return set.callbacks.Session(s) }))
}

// handshake runs OnConnect. Deadlines on the connection keep a server that
// says nothing from holding it up.
func (c *Client) handshake(s *session, set *settings) error {
	if set.callbacks.OnConnect == nil {
		return nil
	}
	s.stage = stageConnect
	_ = s.in.fix(set.readTimeout)
	_ = s.out.fix(set.writeTimeout)
	if err := c.call(func() error { return set.callbacks.Connect(s, s.conn) }); err != nil {
		return s.outcome(err)
	}
	s.in.clear()
	s.out.clear()
	return nil
}

// disconnect runs OnDisconnect. Its context outlives the stop, but neither the
// grace for writes nor the patience of a Shutdown.
func (c *Client) disconnect(s *session) {
	set := c.settings.Load()
	if set.callbacks.OnDisconnect == nil {
		return
	}
	grace := set.grace()
	ctx, cancel := context.WithTimeout(lifecycle.WithConn(c.detached, s.conn), grace)
	defer cancel()
	s.farewell.Store(&cancel)
	if c.gaveUp.Load() {
		cancel()
	}
	_ = s.in.fix(grace)
	_ = s.out.fix(grace)
	s.goodbye = c.call(func() error { return set.callbacks.Disconnect(ctx, s.conn) })
}

// hangUp closes the connection and ends the session, whatever it was at.
func (c *Client) hangUp(s *session) {
	s.cancel(errSessionOver)
	_ = s.close()
	c.collect(s)
	if c.current.CompareAndSwap(s, nil) {
		s.uptime = time.Since(s.upSince)
	}
}

// wait runs WaitReconnect for the attempt to come.
func (c *Client) wait(s *session) error {
	c.to(lifecycle.Waiting)
	if cause := c.over(s); cause != nil {
		return cause
	}
	set := c.settings.Load()
	ctx := waiter.WithAttempt(waiter.OnSleep(s, c.nextAttempt), waiter.Attempt{
		Number:   c.loop.step,
		Err:      c.loop.ended,
		Uptime:   c.loop.uptime,
		Downtime: time.Since(c.loop.lostAt),
	})
	return c.call(func() error { return set.wait(ctx) })
}

// judge takes note of how a turn ended and decides what follows.
func (c *Client) judge(s *session, err error) lifecycle.Verdict {
	if s.stage != stageSession && isRequest(context.Cause(s)) && c.Context().Err() == nil {
		// The attempt didn't fail, it was cut short. An error that OnConnect
		// has of its own counts.
		if s.stage == stageDial || err == nil {
			return lifecycle.Verdict{}
		}
	}
	if s.stage == stageSession {
		c.sessionEnded(s)
	} else if c.Context().Err() == nil {
		c.loop.failures++
	}
	s.cancel(errSessionOver)

	c.loop.ended = err
	v := c.verdict(s, err)
	c.logEnd(s, v, err)
	if s.goodbye == nil {
		return v
	}
	if v.Stop {
		c.logDebug("OnDisconnect failed", s.goodbye)
		return v
	}
	v = c.verdict(s, s.goodbye)
	c.logGoodbye(s, v)
	return v
}

// verdict asks for what follows an error of the turn.
func (c *Client) verdict(s *session, err error) (v lifecycle.Verdict) {
	if err != nil && c.Context().Err() == nil {
		c.loop.lastErr, c.loop.lastErrAt, c.loop.lastStage = err, time.Now(), s.stage
	}
	_ = c.call(func() error {
		v = c.settings.Load().callbacks.Judge(c.Context(), s.netConn(), err)
		return nil
	})
	return v
}

// refused is the verdict on an error from WaitReconnect.
func (c *Client) refused(err error) (v lifecycle.Verdict) {
	_ = c.call(func() error {
		v = c.settings.Load().callbacks.JudgeStop(c.Context(), nil, err)
		return nil
	})
	return v
}

// sessionEnded decides whether the attempts count anew.
func (c *Client) sessionEnded(s *session) {
	c.loop.uptime = s.uptime
	if s.uptime >= c.settings.Load().stableAfter {
		c.loop.attempt = 0
		c.loop.step = 0
		c.loop.lostAt = time.Now()
	}
}

// stop stops the client by a verdict. Whoever waits in Connect gets to know
// first.
func (c *Client) stop(v lifecycle.Verdict) {
	if v.Stopping {
		return
	}
	reason := v.Reason
	if reason == context.Canceled {
		// of the callback's own: nobody has asked for this stop
		reason = core.Wrap(reason, "reconnect: session")
	}
	c.answer(reason)
	c.Cancel(reason)
}

// answer gives Connect the result of the first attempt. A success that the stop
// has overtaken is none, and is left to finish.
func (c *Client) answer(err error) {
	if c.loop.first == nil || err == nil && c.Context().Err() != nil {
		return
	}
	c.loop.first <- err // has room for it
	c.loop.first = nil
}

// finish has the last word of the loop, or of a client that never had one.
func (c *Client) finish() {
	defer func() { c.answer(c.stoppedError()) }()
	defer c.logStopped()
	c.to(lifecycle.Stopped)
}

// call runs a callback in the loop. One that ends the goroutine stops the
// client: there would be nobody to go on.
func (c *Client) call(fn func() error) (err error) {
	returned := false
	defer func() {
		if !returned {
			c.Cancel(lifecycle.ErrGoexit)
		}
	}()
	err = lifecycle.Call(fn)
	returned = true
	return err
}

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
// connection is served by a new goroutine, on which the loop then goes on, and
// an idle one costs what a bare connection does.
func (c *Client) run(s *session) {
	movedOn := false
	defer func() {
		if movedOn {
			return
		}
		// Callbacks are taken care of, see call; but the methods of a connection
		// or a logger may be the user's, too.
		if p := core.AsRecovered(recover()); p != nil {
			c.Cancel(p)
		}
		c.Cancel(lifecycle.ErrGoexit) // without effect where the end was a proper one
		c.finish()
	}()

	for s != nil {
		var err error
		if s.stage == stageSession {
			err = c.serve(s)
		} else if err = c.establish(s); err == nil {
			movedOn = true
			go c.run(s)
			return
		}
		s = c.next(s, err)
	}
}

// next judges how a turn ended, waits, and begins the next one. It returns nil
// when the client stops.
func (c *Client) next(s *session, err error) *session {
	if v := c.judge(s, err); v.Stop {
		c.stop(v)
		return nil
	}
	again := isRedial(context.Cause(s))
	s = c.begin()
	if again || c.redial.Load() {
		return s
	}
	err = c.wait(s)
	switch {
	case c.Context().Err() != nil:
		return nil
	case s.Err() != nil: // cut short: dial at once, from the same step
		return c.begin()
	case err != nil:
		c.stop(c.refused(err))
		return nil
	}
	c.loop.step++
	return s
}

// establish makes a connection and gets it ready for its session. What is
// deferred, here and in serve, runs also when a callback ends the goroutine.
func (c *Client) establish(s *session) error {
	c.redial.Store(false) // this dial is what was asked for
	makeRoom(0)
	if err := c.dial(s); err != nil {
		return err
	}
	ready := false
	defer func() {
		if !ready {
			c.hangUp(s)
		}
	}()

	if err := c.handshake(s); err != nil {
		return err
	}
	s.stage = stageSession
	s.upSince = time.Since(s.since)
	c.current.Store(s)
	s.rebound(c.settings.Load()) // a Reload may have looked for it before
	c.to(lifecycle.Connected)
	c.logConnected()
	ready = true
	return nil
}

// makeRoom grows the stack to what a dial takes, at once and while there is
// little on it to move. It saves two microseconds of a reconnection.
//
//go:noinline
func makeRoom(i int) byte {
	var room [4 << 10]byte
	room[i] = 1
	return room[len(room)-1-i]
}

// serve runs the session of a connection. It does by itself what call does, since
// every frame between an idle session and the bottom of its stack counts.
func (c *Client) serve(s *session) (err error) {
	defer c.hangUp(s)
	returned := false
	defer func() {
		if returned {
			return
		}
		if p := recover(); p != nil {
			err = s.outcome(lifecycle.Recovered(p))
		} else {
			c.Cancel(lifecycle.ErrGoexit)
		}
	}()

	c.answer(nil)
	onSession := c.settings.Load().callbacks.OnSession
	switch {
	case c.over(s) != nil:
		err = context.Cause(s)
	case onSession != nil:
		err = onSession(s)
	default:
		<-s.Done()
		err = context.Cause(s)
	}
	returned = true
	return s.outcome(err)
}

// handshake runs OnConnect. Deadlines on the connection keep a server that
// says nothing from holding it up.
func (c *Client) handshake(s *session) error {
	set := c.settings.Load()
	if set.callbacks.OnConnect == nil {
		return nil
	}
	s.stage = stageConnect
	_ = s.in.fix(set.readTimeout)
	_ = s.out.fix(set.writeTimeout)
	if err := c.call(func() error { return set.callbacks.Connect(s, s.conn) }); err != nil {
		return err
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
	ctx, cancel := context.WithTimeout(lifecycle.WithConn(values{c}, s.conn), grace)
	defer cancel()
	s.farewell.Store(&cancel)
	if c.gaveUp.Load() {
		cancel()
	}
	_ = s.in.fix(grace)
	_ = s.out.fix(grace)
	s.goodbye = c.call(func() error { return set.callbacks.Disconnect(ctx, s.conn) })
}

// hangUp ends the session and closes its connection, after OnDisconnect where
// that is due. At the stop workers may have something to say as well, for as long
// as writes pass, and so may whoever is in the middle of a Write.
func (c *Client) hangUp(s *session) {
	defer func() {
		defer func() {
			c.collect(s)
			c.current.CompareAndSwap(s, nil)
		}()
		s.cancel(errSessionOver)
		_ = s.close()
		s.in.dismiss()
		s.out.dismiss()
	}()
	if s.stage == stageSession {
		c.loop.uptime = time.Since(s.since) - s.upSince // the goodbye is no part of it
		c.disconnect(s)
		if c.Context().Err() != nil && !c.gaveUp.Load() {
			c.over(s)
			c.workers.wait(s.out.left())
			s.out.drain()
		}
	}
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

// judge takes note of how a turn ended and decides what follows.
func (c *Client) judge(s *session, err error) lifecycle.Verdict {
	if s.stage != stageSession && isRequest(context.Cause(s)) && c.Context().Err() == nil {
		// The attempt didn't fail, it was cut short. An error that OnConnect
		// has of its own counts.
		if s.stage == stageConnect {
			err = s.outcome(err)
		}
		if s.stage == stageDial || err == nil {
			return lifecycle.Verdict{}
		}
	}
	if s.stage == stageSession {
		c.sessionEnded(s)
	} else if c.Context().Err() == nil {
		c.draft().Failures++
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
		st := c.draft()
		st.LastError, st.LastErrorAt, st.stage = err, time.Now(), s.stage
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
	if c.loop.uptime >= c.settings.Load().stableAfter {
		c.draft().Attempt = 0
		c.loop.step = 0
		c.loop.lostAt = s.since.Add(s.upSince + c.loop.uptime)
	}
}

// stop stops the client by a verdict. Whoever waits in Connect gets to know
// first.
func (c *Client) stop(v lifecycle.Verdict) {
	if v.Stopping {
		return
	}
	if c.loop.draft != nil {
		c.publish() // so that who is woken by the stop finds what it comes from
	}
	reason := unasked(v.Reason, "session")
	c.answer(reason)
	c.Cancel(reason)
}

// unasked makes a reason of what a callback or a worker said. A context that
// was cancelled is one of its own: nobody has asked for this stop.
func unasked(reason error, by string) error {
	if reason == context.Canceled {
		return core.Wrap(reason, "reconnect: "+by)
	}
	return reason
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

// call runs a callback in the loop. A panic becomes an error. One that ends the
// goroutine stops the client: there would be nobody to go on.
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

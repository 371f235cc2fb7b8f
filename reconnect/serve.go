package reconnect

import (
	"context"
	"time"

	"darvaza.org/x/net/lifecycle"
)

// establish makes a connection and gets it ready for its session. What is
// deferred runs also when a callback ends the goroutine.
func (c *Client) establish(s *session) error {
	c.redial.Store(false) // this dial is what was asked for
	makeRoom(0)
	ready := false
	defer func() {
		if !ready && s.up.Load() {
			c.hangUp(s)
		}
	}()

	if err := c.dial(s); err != nil {
		return err
	}
	if err := c.handshake(s); err != nil {
		return err
	}
	s.stage = stageSession
	c.current.Store(s)
	c.withSettings(s.rebound)
	c.toSince(lifecycle.Connected, s.since.Add(s.upSince))
	c.logConnected()
	ready = true
	return nil
}

// makeRoom grows the stack to what a dial takes, and a stop, at once and while there
// is little on it to move. It saves two microseconds of a reconnection, and as much of a
// stop. The frame alone does it: the array, which would have to be cleared, is there for
// its size.
//
//go:noinline
func makeRoom(use int) byte {
	if use == 0 {
		return 0
	}
	var room [4 << 10]byte
	room[use] = 1
	return room[len(room)-use]
}

// handshake runs OnConnect. Deadlines on the connection keep a server that
// says nothing from holding it up.
func (c *Client) handshake(s *session) error {
	set := c.settings.Load()
	if set.callbacks.OnConnect == nil {
		return nil
	}
	s.stage = stageConnect
	if err := s.limitHandshake(set); err != nil {
		return err
	}
	if err := c.over(s); err != nil {
		return err // the connection came too late for anybody to see it
	}
	if err := c.call(func() error { return set.callbacks.Connect(s, s.conn) }); err != nil {
		return err
	}
	s.in.clear()
	s.out.clear()
	s.upSince = time.Since(s.since)
	return nil
}

// limitHandshake sets the deadlines. On a connection without them OnConnect could
// hang.
func (s *session) limitHandshake(set *settings) error {
	var err error
	if set.readTimeout > 0 {
		err = s.in.fix(set.readTimeout)
	}
	if err == nil && set.writeTimeout > 0 {
		err = s.out.fix(set.writeTimeout)
	}
	if err == nil || IsClosed(err) || IsNotConnected(err) {
		return nil
	}
	return &deadlineError{err}
}

// serve runs the session of a connection in a goroutine of its own, which is the
// loop's from then on. Every byte of the stack counts there, below an idle session.
func (s *session) serve() {
	go func() {
		defer s.proceed()
		s.client.answer(nil)
		session := untilOver
		if s.client.over(s) == nil {
			if callback := s.client.settings.Load().callbacks.OnSession; callback != nil {
				session = callback
			}
		}
		s.client.loop.ended = session(s)
		makeRoom(0) // while there is least to move
		s.ended.Store(true)
	}()
}

// untilOver is the session where there is none, or no time for one.
func untilOver(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// proceed runs the rest of the loop. The session defers it, so that it also does
// after a [runtime.Goexit], which has the client stop, and after a panic, whose
// stack isn't to be kept until the next session.
func (s *session) proceed() {
	if !s.ended.Load() {
		if p := recover(); p != nil {
			s.client.loop.ended = lifecycle.Recovered(p)
			s.ended.Store(true)
			go s.client.run(s)
			return
		}
	}
	s.client.run(s)
}

// served is what a session has ended with, after it was hung up.
func (c *Client) served(s *session) error {
	defer c.hangUp(s)
	if !s.ended.Load() {
		c.loop.ended = nil
		c.Cancel(lifecycle.ErrGoexit)
	}
	return s.outcome(c.loop.ended)
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
		defer s.out.dismiss()
		defer s.in.dismiss()
		s.cancel(errSessionOver)
		_ = s.close()
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
	s.cutShort = s.isDropped(s.goodbye)
}

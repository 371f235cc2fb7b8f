package testutil

import (
	"net"
	"runtime/debug"
	"time"

	"darvaza.org/core"
)

// start begins a run on the listener. The caller is the only one to start or
// stop: the constructor, or a holder of the gate.
func (s *Server) start(listener net.Listener) {
	r := &run{listener: listener, stop: make(chan struct{})}
	r.wg.Add(1)

	s.state.mu.Lock()
	s.run = r
	s.state.mu.Unlock()

	go s.accept(r) // stop closes the listener and waits
}

// accept is the loop of a run. A failure while the listener is open, such as
// being out of descriptors, is waited out: the server can't say no, and a test
// that starves the process needs it to recover.
func (s *Server) accept(r *run) {
	defer r.wg.Done()
	for {
		conn, err := r.listener.Accept()
		switch {
		case err == nil:
			s.admit(r, conn)
		case !pause(r.stop, 5*time.Millisecond):
			return
		}
	}
}

// admit takes a new connection in: it is dropped, held in silence, or served.
func (s *Server) admit(r *run, raw net.Conn) {
	c := &serverConn{Conn: raw, server: s}

	s.state.mu.Lock()
	if isClosed(r.stop) {
		s.state.mu.Unlock()
		_ = raw.Close()
		return
	}
	c.hangUpAfter, c.resetAfter = s.hangUpAfter, s.resetAfter
	atOnce := c.spent(0)
	served := !s.silent && atOnce == keep
	if served {
		// accept holds the group above zero, so this can't race its Wait.
		r.wg.Add(1)
	}
	s.accepted++
	s.conns[c] = struct{}{}
	s.state.notify()
	s.state.mu.Unlock()

	switch {
	case served:
		go s.serve(r, c) // stop ends the connection and waits
	case atOnce != keep:
		_ = c.end(atOnce)
	}
}

// serve runs the handler. Its deferred calls also run when the handler leaves
// by runtime.Goexit, as a failed assertion of a test makes it do.
func (s *Server) serve(r *run, c *serverConn) {
	defer r.wg.Done()
	defer func() { _ = c.end(hangUp) }()
	defer func() {
		if rvr := recover(); rvr != nil {
			s.notePanic(core.NewPanicError(1, rvr))
		}
	}()
	s.handle(c)
}

// notePanic tells of a panic of the handler: at once where there is a test,
// otherwise by what Close returns.
func (s *Server) notePanic(err *core.PanicError) {
	if s.tb != nil {
		s.tb.Errorf("testutil: handler of %s panicked: %v\n%s", s.Remote(), err.Recovered(), debug.Stack())
		return
	}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if s.panicked == nil {
		s.panicked = core.Wrapf(err, "testutil: handler of %s panicked", s.Remote())
	}
}

// pause waits for d, or less when stop is closed, and then reports false.
func pause(stop <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-stop:
		return false
	case <-timer.C:
		return !isClosed(stop)
	}
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

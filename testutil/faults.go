package testutil

// HangUp closes every open connection and goes on accepting. Peers read the end
// of the stream; one over TCP that goes on sending may get a reset instead, before it
// has read an answer that is larger than its window. It doesn't wait for the handlers.
func (s *Server) HangUp() { s.endAll(hangUp) }

// Reset aborts every open connection and goes on accepting: TCP peers get
// ECONNRESET, for which SO_LINGER is set to 0, unless the handler has ended its half
// before: then they read the end of the stream, and a write fails with EPIPE. Unix
// sockets know no such thing and are closed as they are: their peers read the end of
// the stream, or on Linux ECONNRESET if the handler hadn't read all that they had
// sent. It doesn't wait for the handlers.
func (s *Server) Reset() { s.endAll(reset) }

// SetSilent makes the server hold new connections open without ever reading or
// writing, until they are ended from here: it doesn't notice that a peer left.
// Connections that are open already aren't affected, in either direction.
func (s *Server) SetSilent(silent bool) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	s.silent = silent
}

// SetHangUpAfter makes the server hang up on each new connection after n bytes
// were received from it. The handler gets exactly these n, may answer them, and
// finds the connection closed when it reads on. With 0 the connection is closed
// right after it was accepted; a negative n, the default, means never. A silent
// server receives nothing, so only 0 has an effect on it.
func (s *Server) SetHangUpAfter(n int64) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	s.hangUpAfter = n
}

// SetResetAfter is like SetHangUpAfter but resets the connection, as Reset
// does; answers on their way may be lost, and with 0 already the dial may fail.
// When both are set the lower number counts, and the reset when they are equal.
func (s *Server) SetResetAfter(n int64) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	s.resetAfter = n
}

func (s *Server) endAll(how ending) {
	s.state.mu.Lock()
	conns := s.listConns()
	s.state.mu.Unlock()
	for _, c := range conns {
		_ = c.end(how)
	}
}

// listConns copies the open connections. The caller holds state.
func (s *Server) listConns() []*serverConn {
	conns := make([]*serverConn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}

// forget reports whether the connection was still open until now. It no longer
// counts: its peer may learn of the end before closedOne is called.
func (s *Server) forget(c *serverConn) bool {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if _, open := s.conns[c]; !open {
		return false
	}
	delete(s.conns, c)
	s.closing++
	s.state.notify()
	return true
}

// closedOne says that a forgotten connection is closed.
func (s *Server) closedOne() {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	s.closing--
	s.state.notify()
}

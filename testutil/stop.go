package testutil

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

const (
	// rebindFor bounds how long Restart tries to get its address back.
	rebindFor = 2 * time.Second
	// rebindEvery is the pause between two tries.
	rebindEvery = 10 * time.Millisecond
	// wsaAddrInUse is what Windows says for EADDRINUSE. No other system has
	// an error of that number.
	wsaAddrInUse = syscall.Errno(10048)
)

// Stop closes the listener and every connection, and returns when all handlers
// have. From then on dials are refused; the file of a Unix socket is gone.
// Stopping a stopped server does nothing. A handler must not call it.
func (s *Server) Stop() {
	s.gate <- struct{}{}
	defer func() { <-s.gate }()
	s.stop()
}

// Restart listens on the same address again, after a Stop if the server is
// running. Faults set before stay set, and counts go on. If something else took
// the address meanwhile it keeps trying for up to 2 s before it returns the
// error of [net.Listen]. After Close the error matches [net.ErrClosed]. A
// handler must not call it.
func (s *Server) Restart() error {
	s.gate <- struct{}{}
	defer func() { <-s.gate }()

	s.stop()
	if s.isClosed() {
		return fmt.Errorf("testutil: restart %s: %w", s.Remote(), net.ErrClosed)
	}
	listener, err := listenAgain(s.network, s.addr.String())
	if err != nil {
		return fmt.Errorf("testutil: restart: %w", err)
	}
	s.start(listener)
	return nil
}

// Close stops the server for good and removes the directory made for it. It
// returns the first panic of a handler where there is no test to report it to,
// joined with a failure to remove that directory. More calls return the same.
// A handler must not call it.
func (s *Server) Close() error {
	s.gate <- struct{}{}
	defer func() { <-s.gate }()

	if s.markClosed() {
		s.stop()
		s.closeErr = errors.Join(s.firstPanic(), removeDir(s.dir))
	}
	return s.closeErr
}

// stop ends the current run, if there is one. The caller holds the gate.
func (s *Server) stop() {
	r, conns := s.endRun()
	if r == nil {
		return
	}
	_ = r.listener.Close()
	for _, c := range conns {
		_ = c.end(hangUp)
	}
	r.wg.Wait()
}

// endRun takes the run away and lists its connections in one step, so that
// none can be admitted in between.
func (s *Server) endRun() (*run, []*serverConn) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	r := s.run
	if r == nil {
		return nil, nil
	}
	s.run = nil
	close(r.stop)
	return r, s.listConns()
}

// markClosed reports whether it was the first to close the server.
func (s *Server) markClosed() bool {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if s.closed {
		return false
	}
	s.closed = true
	s.state.notify()
	return true
}

func (s *Server) isClosed() bool {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.closed
}

func (s *Server) firstPanic() error {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.panicked
}

// listenAgain retries while the address is taken. The sockets of the previous
// run aren't in the way, but a client's local port may be the same number.
func listenAgain(network, address string) (net.Listener, error) {
	for give := time.Now().Add(rebindFor); ; {
		listener, err := net.Listen(network, address)
		if !isAddrInUse(err) || time.Now().After(give) {
			return listener, err
		}
		pause(nil, rebindEvery)
	}
}

func isAddrInUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaAddrInUse)
}

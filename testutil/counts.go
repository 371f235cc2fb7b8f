package testutil

import (
	"context"
	"fmt"
	"net"
)

// Accepted gives the number of connections accepted so far, over all restarts.
func (s *Server) Accepted() int {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.accepted
}

// Open gives the number of connections that are open now, silent ones included.
// It leaves out those about to be closed, for which [Server.WaitOpen] waits.
func (s *Server) Open() int {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return len(s.conns)
}

// BytesIn gives the number of bytes the handlers received so far. What they
// have answered is among it.
func (s *Server) BytesIn() int64 { return s.bytesIn.Load() }

// BytesOut gives the number of bytes the handlers sent so far, those included
// that are being sent. What a client has received is among it.
func (s *Server) BytesOut() int64 { return s.bytesOut.Load() }

// WaitAccepted blocks until at least n connections were accepted in total. When
// ctx ends first the error matches its cause, and [net.ErrClosed] when the
// server is closed.
func (s *Server) WaitAccepted(ctx context.Context, n int) error {
	var have int
	err := s.await(ctx, func() bool {
		have = s.accepted
		return have >= n
	})
	if err != nil {
		return fmt.Errorf("testutil: waiting for %d accepted connections, have %d: %w", n, have, err)
	}
	return nil
}

// WaitOpen blocks until exactly n connections are open, and none is about to be
// closed; 0 waits until all are gone. It may miss a number that lasts but a
// moment. Errors are those of WaitAccepted.
func (s *Server) WaitOpen(ctx context.Context, n int) error {
	var have int
	err := s.await(ctx, func() bool {
		have = len(s.conns)
		return have == n && s.closing == 0
	})
	if err != nil {
		return fmt.Errorf("testutil: waiting for %d open connections, have %d: %w", n, have, err)
	}
	return nil
}

// await is for conditions that a closed server can't come to fulfil, except by
// its last connections going away.
func (s *Server) await(ctx context.Context, ready func() bool) error {
	return s.state.await(ctx, func() (bool, error) {
		switch {
		case ready():
			return true, nil
		case s.closed && len(s.conns) == 0 && s.closing == 0:
			return false, net.ErrClosed
		default:
			return false, nil
		}
	})
}

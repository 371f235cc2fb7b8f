package rig

import (
	"net"
	"sync"
)

// A server hands out the connections of clients, after the greeting.
type server struct {
	rival    Rival
	listener net.Listener
	conns    chan net.Conn
	done     chan struct{}

	serving sync.WaitGroup
}

func newServer(r Rival) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{
		rival:    r,
		listener: l,
		conns:    make(chan net.Conn),
		done:     make(chan struct{}),
	}
	s.serving.Go(s.accept)
	return s, nil
}

func (s *server) addr() string {
	return s.listener.Addr().String()
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		if s.rival.Greet != nil && s.rival.Greet(conn) != nil {
			_ = conn.Close()
			continue
		}
		if s.rival.Answer != nil {
			s.serving.Go(func() { s.rival.Answer(conn) })
		}
		select {
		case s.conns <- conn:
		case <-s.done:
			_ = conn.Close()
		}
	}
}

// close waits for the goroutines that answer: whoever took a connection has
// closed it by now.
func (s *server) close() {
	close(s.done)
	_ = s.listener.Close()
	s.serving.Wait()
}

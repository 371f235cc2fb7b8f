package main

import (
	"net"
	"sync"
)

// berths is how many listeners a fleet spreads over, so that none of their
// backlogs overflows when all members dial at once.
const berths = 8

// A fleetServer holds connections and does nothing with them.
type fleetServer struct {
	env     *env
	network string

	listeners []net.Listener
	accepting sync.WaitGroup
	muster    muster // counts what it accepts

	mu    sync.Mutex // guards conns
	conns []net.Conn
}

func newFleetServer(e *env, network string) (*fleetServer, error) {
	s := &fleetServer{env: e, network: network}
	for range berths {
		l, err := e.listen(network)
		if err != nil {
			s.close()
			return nil, err
		}
		s.serve(l)
	}
	return s, nil
}

// addr returns where member i connects to.
func (s *fleetServer) addr(i int) net.Addr {
	return s.listeners[i%len(s.listeners)].Addr()
}

// serve accepts until the listener is closed, by stopListening, which waits.
func (s *fleetServer) serve(l net.Listener) {
	s.listeners = append(s.listeners, l)
	s.accepting.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			s.muster.up()
		}
	})
}

// restart ends all connections, after the new listeners are there: members
// that are refused would redial in a hot loop, which isn't what is measured. For
// the same reason all that have connected must have been accepted by now.
func (s *fleetServer) restart() error {
	old := s.listeners
	conns := s.stopListening()
	defer closeAll(conns)
	for _, l := range old {
		again, err := net.Listen(s.network, l.Addr().String())
		if err != nil {
			return err
		}
		s.serve(again)
	}
	return nil
}

// stopListening returns the connections that there are.
func (s *fleetServer) stopListening() []net.Conn {
	for _, l := range s.listeners {
		_ = l.Close()
	}
	s.accepting.Wait()
	s.listeners = nil

	s.mu.Lock()
	defer s.mu.Unlock()
	conns := s.conns
	s.conns = nil
	return conns
}

func (s *fleetServer) close() {
	closeAll(s.stopListening())
}

func closeAll(conns []net.Conn) {
	for _, conn := range conns {
		_ = conn.Close()
	}
}

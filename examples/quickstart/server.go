package main

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"darvaza.org/x/net/testutil"
)

// A server echoes numbered messages, and remembers which ones it got, over all
// connections.
type server struct {
	*testutil.Server
	silent atomic.Bool // connections that notice it never answer again

	mu        sync.Mutex // guards the fields below
	delivered []uint64   // what went beyond the check for duplicates
	again     int        // what didn't
}

// newServer starts a server on loopback or on a socket in a temporary folder.
func newServer(network string) (*server, error) {
	s := new(server)
	var err error
	s.Server, err = testutil.StartServer(network, "", s.serve)
	return s, err
}

// serve talks to one client until the connection ends.
func (s *server) serve(conn net.Conn) {
	r := bufio.NewReader(conn)
	if line, err := r.ReadString('\n'); err != nil || line != hello {
		return
	}
	silent := false
	answer := func(text string) error {
		silent = silent || s.silent.Load()
		if silent {
			return nil
		}
		_, err := io.WriteString(conn, text)
		return err
	}

	err := answer(welcome)
	for err == nil {
		var line string
		if line, err = r.ReadString('\n'); err != nil {
			return // half a line is no message
		}
		var n uint64
		if n, err = strconv.ParseUint(strings.TrimSuffix(line, "\n"), 10, 64); err == nil {
			s.receive(n)
			err = answer(line)
		}
	}
}

// receive takes each message once. A client that lost the connection before
// the echo sends it again, and can't know better.
func (s *server) receive(n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.delivered); last > 0 && n <= s.delivered[last-1] {
		s.again++
		return
	}
	s.delivered = append(s.delivered, n)
}

// audit compares what was delivered with the messages from 1 to n, without
// trust in receive.
func (s *server) audit(n int) (lost, doubled, again int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	times := make(map[uint64]int)
	for _, m := range s.delivered {
		times[m]++
	}
	for m := range n {
		switch got := times[uint64(m)+1]; got {
		case 0:
			lost++
		case 1:
		default:
			doubled += got - 1
		}
	}
	return lost, doubled, s.again
}

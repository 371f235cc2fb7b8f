package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"sync/atomic"
)

// A server tells each client of one event, takes the acknowledgement, and
// answers pings: but on the first connection only the first.
type server struct {
	log   *transcript
	conns atomic.Int32
}

func (s *server) serve(conn net.Conn) {
	n := s.conns.Add(1)
	if _, err := fmt.Fprintf(conn, "event %d\n", n); err != nil {
		return
	}
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if lines.Text() != ping {
			continue
		}
		if n == 1 {
			s.log.server("answers, and falls silent")
		}
		if _, err := io.WriteString(conn, pong+"\n"); err != nil {
			return
		}
		if n == 1 {
			break
		}
	}
	_, _ = io.Copy(io.Discard, conn)
}

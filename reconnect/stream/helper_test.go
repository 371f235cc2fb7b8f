package stream_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect/stream"
)

// lines is a session of lines, the framing that most tests use.
type lines = stream.StreamSession[string, string]

// newLines gives a session of lines that isn't spawned yet, with a peer in memory
// that doesn't buffer: what is written to one end waits for a reader at the other.
func newLines(tb testing.TB) (s *lines, peer net.Conn) {
	tb.Helper()
	conn, peer := net.Pipe()
	return linesOver(tb, conn), closing(tb, peer)
}

// linesOver gives a session of lines over conn, which ends with the test.
func linesOver(tb testing.TB, conn io.ReadWriteCloser) *lines {
	tb.Helper()
	s := &lines{
		Conn:      conn,
		Marshal:   func(m string) ([]byte, error) { return []byte(m + "\n"), nil },
		Unmarshal: func(b []byte) (string, error) { return string(b), nil },
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return s
}

// spawn starts s, and ends it with the test.
func spawn[I, O any](tb testing.TB, s *stream.StreamSession[I, O]) {
	tb.Helper()
	require.NoError(tb, s.Spawn())
	tb.Cleanup(func() {
		_ = s.Close()
		_ = s.Wait()
	})
}

func closing[C io.Closer](tb testing.TB, c C) C {
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// tcpPair gives both ends of a connection over loopback.
func tcpPair(tb testing.TB) (client, server *net.TCPConn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(tb, err)
	closing(tb, c)
	s, err := l.Accept()
	require.NoError(tb, err)
	closing(tb, s)
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// write has the peer write b, and tolerates that the session closes meanwhile.
func write(peer io.Writer, b string) {
	_, _ = io.WriteString(peer, b)
}

// readLine reads one line of the session.
func readLine(tb testing.TB, r *bufio.Reader) string {
	tb.Helper()
	line, err := r.ReadString('\n')
	require.NoError(tb, err)
	return line[:len(line)-1]
}

// rest receives until the inbound stream ends.
func rest[I, O any](s *stream.StreamSession[I, O]) []I {
	var got []I
	for m := range s.Recv() {
		got = append(got, m)
	}
	return got
}

// ended tells whether ch is closed, without waiting.
func ended(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// past is a deadline that has gone by.
func past() time.Time { return time.Unix(1, 0) }

// noContext is what a careless caller passes.
var noContext context.Context

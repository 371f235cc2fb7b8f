package testutil

import (
	"errors"
	"net"
	"time"
)

const (
	// maxFillers bounds the connections that fill the queue of a black hole.
	maxFillers = 64
	// hangsAfter is how long a dial gets no answer before the queue counts as
	// full. On loopback the answer is there before the call returns, so this
	// costs time once per black hole but decides nothing on a slow machine.
	hangsAfter = 200 * time.Millisecond
)

// BlackHole gives a host:port on loopback where a TCP dial neither succeeds nor
// fails, for the length of the test: a listener whose queue is full and that
// accepts nothing. Making one takes about 200 ms. On systems that refuse a
// connection when the queue is full, such as Windows, the test is skipped, or
// failed if tb has no Skipf.
func BlackHole(tb TB) (remote string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("testutil: black hole: %v", err)
		return ""
	}
	tb.Cleanup(func() { _ = listener.Close() })

	if err := shrinkBacklog(listener.(*net.TCPListener)); err != nil {
		skipf(tb, "testutil: black hole: %v", err)
		return ""
	}
	remote = listener.Addr().String()
	for range maxFillers {
		conn, err := net.DialTimeout("tcp", remote, hangsAfter)
		switch {
		case err == nil:
			tb.Cleanup(func() { _ = conn.Close() })
		case isTimeout(err):
			return remote
		default:
			skipf(tb, "testutil: black hole: a full queue doesn't make dials hang here: %v", err)
			return ""
		}
	}
	skipf(tb, "testutil: black hole: the queue takes more than %d connections", maxFillers)
	return ""
}

// isTimeout asks the error, as a dial ends in one of several.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

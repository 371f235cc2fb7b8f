package testutil

import (
	"net"
	"sync/atomic"
	"time"
)

// ending is how a connection ends, if it does.
type ending int

const (
	keep   ending = iota // it goes on
	hangUp               // the peer reads the end of the stream
	reset                // the peer gets an error, on TCP
)

// serverConn is a connection as a handler sees it: counted, known to the
// server, and cut after a number of bytes.
type serverConn struct {
	net.Conn
	server *Server

	// bytes to receive before the connection is cut, negative for never; set
	// before the handler starts
	hangUpAfter int64
	resetAfter  int64

	received atomic.Int64
}

// String and GoString keep fmt away from the count, which a Read adds to.
func (c *serverConn) String() string { return "testutil.Server's connection" }

func (c *serverConn) GoString() string { return c.String() }

// Read cuts the connection when the handler asks for more than the limit lets
// through, which leaves it the time to answer what it got before.
func (c *serverConn) Read(p []byte) (int, error) {
	received := c.received.Load()
	if how := c.spent(received); how != keep {
		_ = c.end(how)
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Read(c.clip(p, received))
	c.received.Add(int64(n))
	c.server.bytesIn.Add(int64(n))
	return n, err
}

// Write counts before it writes, and corrects that afterwards: whoever got the
// bytes finds them counted.
func (c *serverConn) Write(p []byte) (int, error) {
	c.server.bytesOut.Add(int64(len(p)))
	n, err := c.Conn.Write(p)
	c.server.bytesOut.Add(int64(n - len(p)))
	return n, err
}

// CloseWrite ends the handler's half. The connections of TCP and Unix sockets all
// have it, and others don't come here.
func (c *serverConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

// Close hangs up; a second one returns net.ErrClosed.
func (c *serverConn) Close() error { return c.end(hangUp) }

// spent tells whether a limit is reached, and which. The lower one counts, and
// of two equal ones the reset.
func (c *serverConn) spent(received int64) ending {
	switch {
	case c.resetAfter >= 0 && received >= c.resetAfter:
		return reset
	case c.hangUpAfter >= 0 && received >= c.hangUpAfter:
		return hangUp
	default:
		return keep
	}
}

// clip shortens a buffer so that no read goes past a limit.
func (c *serverConn) clip(p []byte, received int64) []byte {
	for _, limit := range []int64{c.hangUpAfter, c.resetAfter} {
		if limit >= 0 && int64(len(p)) > limit-received {
			p = p[:limit-received]
		}
	}
	return p
}

// end closes the connection the first time it is called, also when several
// do at once.
func (c *serverConn) end(how ending) error {
	if !c.server.forget(c) {
		return net.ErrClosed
	}
	defer c.server.closedOne()
	tcp, ok := c.Conn.(*net.TCPConn)
	switch {
	case how != reset:
		finish(c.Conn)
	case ok:
		_ = tcp.SetLinger(0)
	}
	return c.Conn.Close()
}

// finish says goodbye before a close, so that the peer reads an end of stream
// even if there is data from it that nobody read. A plain close would make the
// kernel report that as a reset, and tests depend on which of the two it is.
func finish(conn net.Conn) {
	switch conn := conn.(type) {
	case *net.TCPConn:
		// Unread data counts at the close: what is still to be sent would go. To
		// shut the reading side is no way out, it makes a reset of what comes later.
		// What a peer sends after this still does.
		_ = conn.CloseWrite()
		drain(conn)
	case *net.UnixConn:
		// Unread data counts here, too. With the reading side shut nothing is
		// added to it and reads don't block; the deadline is for systems that
		// think differently.
		_ = conn.CloseWrite()
		_ = conn.CloseRead()
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		for buf := make([]byte, 4096); ; {
			if n, err := conn.Read(buf); n == 0 || err != nil {
				return
			}
		}
	}
}

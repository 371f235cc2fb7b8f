package reconnect

import (
	"crypto/tls"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// CloseWrite ends the outbound half of the current connection: the peer reads io.EOF
// after all that was written before, while reads go on. A Write that is under
// way or comes later fails with an error that matches [syscall.EPIPE], and ends the
// session.
//
// TCP, Unix sockets and TLS can do that; on another connection of a Dialer that
// can't the error matches [errors.ErrUnsupported]. Over TLS it blocks for
// as long as a Write may after a stop, and has broken the connection if that
// isn't enough; otherwise it doesn't block. Without a connection it returns
// [ErrNotConnected], and on one that is closed [ErrNotConnected] or an error that
// matches [ErrClosed].
func (c *Client) CloseWrite() error {
	s := c.current.Load()
	if s == nil {
		return ErrNotConnected
	}
	conn, ok := s.conn.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("reconnect: CloseWrite of a %T: %w", s.conn, errors.ErrUnsupported)
	}
	s.out.halfClose()
	err := s.goodbyeOf(conn.CloseWrite)
	if err != nil && isCut(err) {
		return s.closedError()
	}
	return err
}

// halfClose has the writes that fail from now on say why.
func (d *direction) halfClose() {
	d.mu.Lock()
	d.shut = true
	d.mu.Unlock()
}

// errHalfClosed is that of a Write after CloseWrite. To [IsFatal] it is a broken
// connection.
var errHalfClosed = fmt.Errorf("reconnect: write after CloseWrite: %w", syscall.EPIPE)

func (d *direction) isHalfClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shut
}

// goodbyeOf calls what says goodbye to the peer. TLS does so by a write of its own, for
// which it has at most the grace that writes have, or what is left of it.
func (s *session) goodbyeOf(say func() error) error {
	if _, ok := s.conn.(*tls.Conn); !ok {
		return say()
	}
	grace := s.client.settings.Load().grace()
	if s.out.isEnded() {
		grace = max(s.out.left(), 0)
	}
	timer := time.AfterFunc(grace, func() {
		_ = s.client.call(func() error { s.cut(); return nil })
	})
	defer timer.Stop()
	return say()
}

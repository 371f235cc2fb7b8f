package reconnect

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// CloseWrite ends the outbound half of the current connection: the peer reads io.EOF
// after all that was written before, while reads go on. A Write that comes later fails
// with an error that matches [syscall.EPIPE], and ends the session.
//
// It takes its turn as a [Client.Write] does, and may fail like one that doesn't get it
// in time, with an error that matches [os.ErrDeadlineExceeded]; nothing has happened
// then. TCP and Unix sockets have halves, and don't block otherwise. TLS does, for at
// most WriteTimeout, 2 s where that is off, what a stop has left of it, or until the
// deadline of [Client.SetWriteDeadline] or OnDisconnect, and never more than 5 s. On
// another connection of a Dialer that has no halves the error matches
// [errors.ErrUnsupported], and nothing has happened either; one that has to write for
// its halves is bounded as a Write is, unless it sets a deadline of its own: a *tls.Conn in
// a wrapper has 5 s, also during a stop. Nor has anything happened after the error of a
// Dialer's TLS connection whose handshake is yet to come, with the first Read or Write.
// Where the peer is gone already the error is that of the system, if there is one, and it
// is for a Read to end the session, after what came before; over TLS that may say io.EOF
// then.
//
// Without a connection it returns [ErrNotConnected], and on one that is closed, over TLS
// by the client, or where a stop, a Reconnect or a Reload that redials left it too little
// time, that or, during a stop, an error that matches [ErrClosed]. After any other error
// the connection is of no more use, and the session ends: it matches [syscall.EPIPE]
// where TLS, or a Dialer's connection, didn't get through in time, or TLS had been cut
// short in a Write before.
func (c *Client) CloseWrite() error {
	s := c.current.Load()
	if s == nil {
		return ErrNotConnected
	}
	conn, ok := s.conn.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("reconnect: CloseWrite of a %T: %w", s.conn, errors.ErrUnsupported)
	}
	limit, err := s.out.enter()
	if err != nil {
		return err
	}
	defer s.out.yield()
	if err := s.out.halfClose(); err != nil {
		s.cancel(err)
		return err
	}
	if !s.out.ticking && !s.out.isTLS() {
		_ = s.out.prepare(limit) // it may write, and isn't bounded otherwise
	}
	err = s.goodbyeOf(conn.CloseWrite, s.out.grace)
	switch {
	case err == nil && s.closed.Load(): // TLS has said its goodbye, and says so again
		return s.closedError()
	case err == nil:
		return nil
	case errors.Is(err, errors.ErrUnsupported): // by what a Dialer wraps
		s.out.reopen()
		return err
	case strings.Contains(err.Error(), earlyCloseWrite):
		s.out.reopen()
		return fmt.Errorf("reconnect: CloseWrite: %w", err)
	case isOfNetwork(err): // a Read tells, after what came before
		return fmt.Errorf("reconnect: CloseWrite: %w", err)
	case isTimeout(err) && !s.out.isEnded():
		err = fmt.Errorf("%v: %w", err, syscall.EPIPE) // one that the connection doesn't survive
	case isTimeout(err), isShut(err), s.closed.Load():
		s.cancel(err)
		return s.closedError()
	}
	err = s.out.lost(err)
	s.cancel(err)
	return fmt.Errorf("reconnect: CloseWrite: %w", err)
}

// yield is the end of a call that has had its turn and written nothing.
func (d *direction) yield() {
	d.mu.Lock()
	d.until = 0
	d.mu.Unlock()
	d.letGo(0, busy)
}

// reopen takes halfClose back, and the deadline: a Read may have to write as well, for a
// handshake that is yet to come, and must not run into it.
func (d *direction) reopen() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = false
	if !d.ticking && !d.fixed && d.armed != 0 {
		_ = d.arm(0)
	}
}

// halfClose has the writes that fail from now on say why. It fails where nobody could
// read the end, since a TLS record before it is in two.
func (d *direction) halfClose() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
	if d.split {
		return errSplit
	}
	return nil
}

// earlyCloseWrite is in the error of crypto/tls, which keeps that to itself, where its
// handshake isn't through: a Dialer may leave that to the first Read or Write.
const earlyCloseWrite = "CloseWrite called before handshake complete"

// errHalfClosed is that of a Write after CloseWrite. To [IsFatal] it is a broken
// connection.
var errHalfClosed = fmt.Errorf("reconnect: write after CloseWrite: %w", syscall.EPIPE)

// errSplit is that of a CloseWrite after a Write that was cut short.
var errSplit = fmt.Errorf("reconnect: CloseWrite after a TLS write that timed out: %w", syscall.EPIPE)

func (d *direction) isHalfClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shut
}

// grace is how long a last write may take: as long as other writes after a stop, or what
// is left of it, or until the deadline that was set for all of them.
func (d *direction) grace() time.Duration {
	grace := d.session.client.settings.Load().grace()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fixed && d.armed != 0 {
		grace = max(d.armed-d.now(), 0)
	}
	return grace
}

// goodbyeOf calls what says goodbye to the peer. TLS does so by a write of its own, which
// may take a while.
func (s *session) goodbyeOf(say func() error, grace func() time.Duration) error {
	if _, ok := s.conn.(*tls.Conn); !ok {
		return say()
	}
	timer := time.AfterFunc(grace(), func() {
		_ = s.client.call(func() error { s.cut(); return nil })
	})
	defer timer.Stop() // also where a method of the connection panics
	err := say()
	if !timer.Stop() {
		return os.ErrDeadlineExceeded // also where it got through: the connection is cut, or about to be
	}
	return err
}

package reconnect

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net"
	"sync/atomic"
	"time"

	"darvaza.org/core"

	"darvaza.org/x/net/lifecycle"
)

// Why a session ends when neither the client's stop nor an error ends it. The
// causes match [ErrNotConnected], which makes them recoverable.
var (
	errClosedByUser = core.QuietWrap(ErrNotConnected, "connection closed by Close")
	errRedial       = core.QuietWrap(ErrNotConnected, "connection dropped by Reconnect")
	errNewRoute     = core.QuietWrap(ErrNotConnected, "connection dropped by Reload")
	errSessionOver  = core.QuietWrap(ErrNotConnected, "session over")
)

// A session is one turn of the loop: a wait, a dial, and the connection that
// comes of it, under one context. It is that context, for all callbacks of
// the turn.
//
// The context doesn't hang off the client's, which would need a map entry for
// each, but where that has a deadline: the client ends the session's when its own ends.
type session struct {
	// A busy writer must not slow down a reader, so the first words of the
	// directions must not share a cache line. What lies between has to be as long
	// as one; so this is the order.
	in     direction
	client *Client

	up     atomic.Bool // conn is set
	ended  atomic.Bool // OnSession has returned or panicked
	closed atomic.Bool // conn is, by the client

	stage    stage // the loop's own, as cutShort, upSince and goodbye
	cutShort bool  // the goodbye failed because somebody asked for the next connection

	cancel          context.CancelCauseFunc
	context.Context // with the client's values

	conn     net.Conn // set by attach
	since    time.Time
	upSince  time.Duration                      // when OnConnect was done, after since
	goodbye  error                              // of OnDisconnect
	dialling atomic.Pointer[context.CancelFunc] // ends the context of a dial
	farewell atomic.Pointer[context.CancelFunc] // and that of OnDisconnect

	out direction
}

// A stage is how far a session has come.
type stage uint8

const (
	stageDial stage = iota // also the wait before
	stageConnect
	stageSession
	stageGoodbye
)

// begin starts a turn of the loop. A stop that comes before the session is
// published doesn't find it there, so look again after.
func (c *Client) begin() *session {
	s := &session{client: c}
	parent := context.Context(values{c})
	if _, ok := c.Context().Deadline(); ok {
		parent = c.Context() // so that the end of this one says that it has passed
	}
	s.Context, s.cancel = context.WithCancelCause(parent)
	c.turn.Store(s)
	if c.Context().Err() != nil {
		s.cancel(context.Cause(c.Context()))
	}
	return s
}

// values is the client's context without its end. As a pointer in disguise it
// costs nothing.
type values struct {
	client *Client
}

func (v values) Deadline() (time.Time, bool) { return time.Time{}, false }
func (v values) Done() <-chan struct{}       { return nil }
func (v values) Err() error                  { return nil }
func (v values) Value(key any) any           { return v.client.Context().Value(key) }

// over ends a turn whose client is stopping, and returns why the turn has to
// end, nil if it hasn't. The end of Config.Context is told to the turn by a
// goroutine of its own, which may be late.
func (c *Client) over(s *session) error {
	if c.Context().Err() != nil {
		s.drop(context.Cause(c.Context()))
	}
	return context.Cause(s)
}

// Value finds the connection, see [lifecycle.ConnFrom].
func (s *session) Value(key any) any {
	if key == connKey && s.up.Load() {
		return s.conn
	}
	return s.Context.Value(key)
}

// netConn is the connection, or a nil interface.
func (s *session) netConn() net.Conn {
	if s.up.Load() {
		return s.conn
	}
	return nil
}

// String and GoString keep fmt away from the fields, which others are writing to.
func (s *session) String() string   { return "reconnect.session" }
func (s *session) GoString() string { return s.String() }

var connKey = lifecycle.ConnKey()

// attach gives the session its connection. A session that has been told to
// end meanwhile ends that too.
func (s *session) attach(conn net.Conn, set *settings) {
	s.conn = conn
	s.since = time.Now().Add(-1) // so that the present is never 0, which means no deadline
	s.upSince = 1                // the present, unless OnConnect makes it later
	s.in.attach(s, false, set.readTimeout)
	s.out.attach(s, true, set.writeTimeout)
	s.up.Store(true)
	if s.Err() != nil {
		s.hush(set.grace())
	}
	if s.client.gaveUp.Load() {
		s.abandon()
	}
}

// rebound makes reads and writes obey other settings.
func (s *session) rebound(set *settings) {
	s.in.setBound(set.readTimeout)
	s.out.setBound(set.writeTimeout)
}

// drop ends the session for cause without closing the connection, so that
// OnDisconnect can still say goodbye on it.
func (s *session) drop(cause error) {
	s.cancel(cause)
	if cancel := s.dialling.Load(); cancel != nil {
		(*cancel)()
	}
	if s.up.Load() {
		s.hush(s.client.settings.Load().grace())
	}
}

// hush cuts short what reads, and lets writes go on for a while. Where either
// has no deadline only the end of the connection ends them.
func (s *session) hush(grace time.Duration) {
	reads, writes := s.in.end(0), s.out.end(grace)
	if !reads || !writes {
		// A Close may block, which is not for whoever ends the session.
		s.client.group.Go(func(context.Context) error {
			s.cut()
			return nil
		})
	}
}

// close closes the connection. A goodbye of TLS has the grace that writes have after a
// stop, or what is left of it.
func (s *session) close() error {
	again := s.closed.Swap(true)
	err := s.goodbyeOf(s.conn.Close, func() time.Duration {
		if s.out.isEnded() {
			return max(s.out.left(), 0)
		}
		return s.client.settings.Load().grace()
	})
	if again {
		return nil // what it says of that is nobody's business
	}
	return err
}

// abandon closes the connection under whatever still runs and ends the
// context of OnDisconnect: Shutdown has given up.
func (s *session) abandon() {
	if cancel := s.farewell.Load(); cancel != nil {
		(*cancel)()
	}
	if s.up.Load() {
		s.cut()
	}
}

// cut closes the connection without a goodbye.
func (s *session) cut() {
	s.closed.Store(true)
	_ = cut(s.conn)
}

// cut closes a connection. TLS would write to it first, which may block.
func cut(conn net.Conn) error {
	if t, ok := conn.(*tls.Conn); ok {
		return t.NetConn().Close()
	}
	return conn.Close()
}

// closedError is what reads and writes cut short get.
func (s *session) closedError() error {
	if s.client.Context().Err() != nil {
		return ErrClosed
	}
	return ErrNotConnected
}

// outcome is what the session's own error means, seen with what ended its
// context. An answer of "cancelled" means that cause. Errors that we caused by
// dropping the connection on request aren't errors. What is final stays, whatever
// it was made of.
func (s *session) outcome(err error) error {
	cause := context.Cause(s)
	switch {
	case err == nil || cause == nil || lifecycle.IsFinal(err):
		return err
	case errors.Is(err, context.Canceled) && isNoFailure(err):
		err = cause
	}
	if isRequest(cause) && (err == cause || s.isDropped(err)) {
		return nil
	}
	return err
}

// isDropped tells if an error says no more than that Close has closed the connection, or
// that Reconnect or Reload has ended its reads and writes, whatever has ended the session
// before.
func (s *session) isDropped(err error) bool {
	switch cause := context.Cause(s); {
	case err == nil || lifecycle.IsFinal(err):
		return false
	case isRedial(cause) || s.in.isEnded():
		return isOnly(err, isCut)
	case cause == errClosedByUser || s.closed.Load():
		return isOnly(err, isShut) // Close sets no deadline: what timed out did so before
	default:
		return false
	}
}

// isNoFailure tells if an error is fatal for nothing but the cancellation in it. What a
// session has joined to that may be a failure of its own.
func isNoFailure(err error) bool {
	like, ok := err.(interface{ Is(error) bool })
	return !IsFatal(err) || ok && like.Is(context.Canceled) ||
		each(err, isNoFailure, func(leaf error) bool { return leaf == context.Canceled })
}

// isOnly tells if an error is made of nothing but such as is says.
func isOnly(err error, is func(error) bool) bool {
	return each(err, func(part error) bool { return isOnly(part, is) }, is)
}

// each tells if part holds for whatever an error wraps, or leaf for one that wraps
// nothing. It isn't for endless ones, which are final.
func each(err error, part, leaf func(error) bool) bool {
	var inner []error
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		inner = []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		inner = e.Unwrap()
	}
	wraps := false
	for _, err := range inner {
		switch {
		case err == nil:
		case !part(err):
			return false
		default:
			wraps = true
		}
	}
	return wraps || leaf(err)
}

// isCut tells if an error is what I/O gets when its connection is taken away.
func isCut(err error) bool {
	return isShut(err) || isTimeout(err)
}

// isShut tells if an error is what I/O gets when its connection is closed.
func isShut(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, fs.ErrClosed)
}

// isRequest tells if a session was ended by a method of the client.
func isRequest(cause error) bool {
	return cause == errClosedByUser || isRedial(cause)
}

// isRedial tells if the next dial follows at once.
func isRedial(cause error) bool {
	return cause == errRedial || cause == errNewRoute
}

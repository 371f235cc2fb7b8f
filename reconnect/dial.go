package reconnect

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"darvaza.org/x/net/lifecycle"
)

// dial makes one attempt: a round through the remotes, until one answers.
func (c *Client) dial(s *session) error {
	set := c.settings.Load()
	draft := c.draft()
	draft.attempt++
	draft.attempts++
	draft.remote = &set.remotes[0]
	c.to(lifecycle.Connecting)
	if draft.failures > 0 {
		c.answer(nil) // where no wait came between this attempt and the first, which has failed
	}

	var errs []error
	for i := range set.remotes {
		r := &set.remotes[i]
		if i > 0 {
			if c.over(s) != nil {
				break
			}
			c.draft().remote = r
			c.publish()
		}
		conn, err := c.dialRemote(s, set, r)
		if err == nil {
			s.attach(conn, set)
			return nil
		}
		errs = append(errs, err)
		if lifecycle.IsFinal(err) {
			break // no other remote makes up for it
		}
	}
	switch len(errs) {
	case 0:
		return context.Cause(s)
	case 1:
		return errs[0]
	default:
		return &roundError{errs}
	}
}

// A roundError says why none of the remotes was reached.
type roundError struct {
	errs []error
}

func (e *roundError) Error() string   { return errors.Join(e.errs...).Error() }
func (e *roundError) Unwrap() []error { return e.errs }

// Temporary tells [IsFatal] that one of the remotes may be reached yet.
func (e *roundError) Temporary() bool {
	return slices.ContainsFunc(e.errs, func(err error) bool { return !IsFatal(err) })
}

// dialRemote dials one remote. A connection that comes up after the session
// was told to end is nobody's: it is closed.
//
// The dial has a context of its own, beside the session's: one that hung off
// that would leave its traces there for as long as the session lasts.
func (c *Client) dialRemote(s *session, set *settings, r *remote) (conn net.Conn, err error) {
	ctx, cancel := set.dialContext(values{c})
	defer cancel()
	s.dialling.Store(&cancel)
	defer s.dialling.Store(nil)
	if err := c.over(s); err != nil {
		return nil, err
	}

	err = c.call(func() (err error) {
		conn, err = set.dialer.DialContext(ctx, r.network, r.address)
		return err
	})
	if conn != nil && isNil(conn) {
		conn = nil // a nil *tls.Conn, say, that comes with its error
	}
	if err == nil && conn == nil {
		err = ErrAbnormalConnect
	}
	if err == nil {
		err = c.over(s)
	}
	if err == nil {
		return conn, nil
	}
	if conn != nil {
		_ = cut(conn)
	}
	if isBareStop(err) {
		return nil, err // wrapped it would say more than the user did
	}
	return nil, &dialError{network: r.network, address: r.address, err: err}
}

// isBareStop recognises ErrDoNotReconnect itself, which makes a stop that the
// user asked for.
func isBareStop(err error) bool {
	return errors.Is(err, ErrDoNotReconnect) && lifecycle.Reason(err) == nil
}

// A dialError says which remote wasn't reached, and why. Users keep it, so it doesn't
// refer to the remote itself, which may be a part of the Client.
type dialError struct {
	network, address string
	err              error
}

func (e *dialError) Error() string {
	msg := e.err.Error()
	if strings.Contains(msg, e.address) {
		return "reconnect: " + strings.TrimPrefix(msg, "dialer: ")
	}
	return "reconnect: dial " + e.network + " " + e.address + ": " + msg
}

func (e *dialError) Unwrap() error {
	return e.err
}

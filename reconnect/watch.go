package reconnect

import (
	"context"
	"errors"
	"strings"

	"darvaza.org/x/net/lifecycle"
)

// watch is a channel that is closed at the next change of the status. It is
// there only while somebody waits.
type watch struct {
	changed chan struct{}
}

func (c *Client) wake() {
	if c.watch.Load() == nil {
		return
	}
	if w := c.watch.Swap(nil); w != nil {
		close(w.changed)
	}
}

// WaitStatus blocks until there is a Status newer than version, the Version of
// the one seen last, or 0, and returns it. States that come and go between two
// calls are not seen; the last one always is. After the final one, of a
// stopped client, the error matches [ErrClosed] and the reason; when ctx ends it
// is that of ctx. Both come with the current Status. A nil ctx never ends.
func (c *Client) WaitStatus(ctx context.Context, version uint64) (Status, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	for {
		changed := c.changed() // before the look, so that no change is missed
		st := c.Status()
		switch {
		case st.Version > version:
			return st, nil
		case st.State == lifecycle.Stopped:
			return st, c.stoppedError()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return st, ctx.Err()
		}
	}
}

func (c *Client) changed() <-chan struct{} {
	for {
		if w := c.watch.Load(); w != nil {
			return w.changed
		}
		w := &watch{changed: make(chan struct{})}
		if c.watch.CompareAndSwap(nil, w) {
			return w.changed
		}
	}
}

// WaitConnected blocks until the client is connected. When ctx ends first the
// error matches that of ctx, and once the client stops it matches [ErrClosed]
// and the reason; both also match the error of the last attempt, or of its
// session, if there was one, and say which remote and phase it comes from, unless
// it is what stopped the client. [Client.Connect] followed by WaitConnected is a
// start-up that fails fast. A nil ctx never ends. OnSession may not have begun by then.
func (c *Client) WaitConnected(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	for {
		changed := c.changed() // before the look, so that no change is missed
		switch {
		case c.Context().Err() != nil:
			return c.notConnected(c.stoppedError())
		case c.State() == lifecycle.Connected && c.isUp():
			return nil
		}
		select {
		case <-changed:
		case <-c.Context().Done(): // the state may lag behind, held up by a callback
		case <-ctx.Done():
			return c.notConnected(ctx.Err())
		}
	}
}

// isUp is false from the end of a session on, while its callbacks still run and
// judge how it ended.
func (c *Client) isUp() bool {
	s := c.current.Load()
	return s != nil && s.Err() == nil && !s.ended.Load()
}

// notConnected adds to err what the last attempt has died of.
func (c *Client) notConnected(err error) error {
	st := c.snapshot()
	e := &notConnectedError{remote: st.remote.text, err: err, phase: st.stage.prefix(), last: st.lastError}
	if e.last != nil && (st.overcome || matches(err, e.last)) {
		e.last = nil // has been said, or is none of the last attempt's
	}
	return e
}

// matches is errors.Is for an error that may be of a kind which can't be compared.
func matches(err, target error) (is bool) {
	defer func() { _ = recover() }()
	return errors.Is(err, target)
}

// A notConnectedError is that of WaitConnected.
type notConnectedError struct {
	remote string
	err    error
	phase  string // of last
	last   error  // of the attempts, nil if there was none
}

func (e *notConnectedError) Error() string {
	msg := "reconnect: " + e.remote + ": not connected: " + brief(e.err)
	if e.last != nil {
		msg += ": " + e.phase + brief(e.last)
	}
	return msg
}

func (e *notConnectedError) Unwrap() []error {
	if e.last == nil {
		return []error{e.err}
	}
	return []error{e.err, e.last}
}

// brief is an error's message without saying again that it is ours.
func brief(err error) string {
	return strings.TrimPrefix(err.Error(), "reconnect: ")
}

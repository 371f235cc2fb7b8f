package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"darvaza.org/x/net/worker"
)

// standstill is how long what the peer's end has left to do may stand still once
// Context is over because of it.
const standstill = 2 * time.Second

// endless is Context without its end, which contextOver tells the group of, and so
// without its deadline.
type endless struct {
	context.Context
}

func (endless) Deadline() (time.Time, bool) { return time.Time{}, false }
func (endless) Done() <-chan struct{}       { return nil }
func (endless) Err() error                  { return nil }

// stopped is why Context has ended the session, nil if it hasn't. That of a client's
// session ends with io.EOF as soon as a read of its connection comes to the end of
// the stream, which is the peer's end and no more. While the session lingers it has come
// to its own end, and a client's context ends with whatever a read fails with.
func (r *session[_, _]) stopped() error {
	if r.context.Err() == nil || isOver(r.lingering) {
		return nil
	}
	if cause := context.Cause(r.context); cause != io.EOF || r.halfClose {
		return cause
	}
	return nil
}

// cancel stops the group with cause, or with that of Context where that is over:
// the group hears of it from a goroutine, which may be late.
func (r *session[_, _]) cancel(cause error) {
	if first := r.stopped(); first != nil {
		cause = first
	}
	r.group.Cancel(cause)
}

// under makes what run ends with that of Context where that is over: Conn may hear
// of it before the group does.
func (r *session[_, _]) under(run worker.Func) worker.Func {
	return func(ctx context.Context) error {
		err := run(ctx)
		if cause := r.stopped(); cause != nil {
			return cause
		}
		return err
	}
}

// broken is what an error of Conn means. At the peer's end a client that drops the
// connection can't tell the session by its context any more.
func (r *session[_, _]) broken(verb string, err error) error {
	if r.context.Err() != nil && errors.Is(err, net.ErrClosed) {
		return context.Cause(r.context)
	}
	return fmt.Errorf("stream: %s: %w", verb, err)
}

// contextOver ends the session with its Context. At the peer's end it was most
// likely read that came to it: then that is an orderly end, which takes as long as
// there is something to write.
func (r *session[_, _]) contextOver() {
	if !r.group.Hold() {
		return
	}
	defer r.group.Release()
	if isOver(r.lingering) {
		if context.Cause(r.context) != io.EOF || r.halfClose { // linger waits for the peer's end
			r.group.Cancel(nil)
		}
		return
	}
	if r.stopped() == nil {
		timer := time.NewTimer(standstill)
		defer timer.Stop()
		select {
		case <-r.eof:
			return
		case <-r.group.Context().Done():
			return
		case <-timer.C:
		}
	}
	r.group.Cancel(context.Cause(r.context))
}

// offer is the slow way of receive. Whoever receives may have left with Context, or
// after Shutdown.
func (r *session[Input, _]) offer(ctx context.Context, m Input) bool {
	select {
	case r.in <- m:
		return true
	case <-ctx.Done():
		return false
	case <-r.queue.closed:
	case <-r.context.Done():
	}
	if r.queue.isClosed() {
		return r.offerFor(keepUp, ctx, m)
	}
	if r.offerFor(standstill, ctx, m) {
		return true
	}
	r.group.Cancel(context.Cause(r.context))
	return false
}

func (r *session[Input, _]) offerFor(patience time.Duration, ctx context.Context, m Input) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r.in <- m:
		r.moved.Store(true)
		return true
	case <-ctx.Done():
	case <-timer.C:
	}
	return false
}

package stream

import (
	"context"
	"errors"
	"fmt"

	"darvaza.org/x/net/lifecycle"
	"darvaza.org/x/net/worker"
)

// Go runs functions beside the session, each in a goroutine of its own; nil
// functions are skipped. Their context ends when the session does, after an orderly
// end has written what was queued. The first error ends the session with it,
// except for one that matches [ErrClosed] while the session is closing: it
// says no more than that. A context.Canceled is no end that the user asked for,
// unless the function's own context is over, or Context is; over a client, at the
// peer's end, it may also be wrapped, but not joined to another error. The session
// isn't done before they have returned.
//
// Go doesn't block. While the session ends functions still run, with a
// context that is over; after it is done they don't.
func (s *StreamSession[_, _]) Go(funcs ...worker.Func) {
	r := s.live("Go")
	for _, fn := range funcs {
		r.group.GoCatch(fn, r.catchClosed)
	}
}

// GoCatch is [StreamSession.Go] for a function whose errors catch may replace, or
// drop by returning nil. With a nil run nothing happens, a nil catch changes nothing.
func (s *StreamSession[_, _]) GoCatch(run worker.Func, catch worker.Catcher) {
	r := s.live("GoCatch")
	if catch == nil {
		r.group.GoCatch(run, r.catchClosed)
		return
	}
	r.group.GoCatch(run, func(ctx context.Context, err error) error {
		if err = catch(ctx, err); err == nil {
			return nil
		}
		return r.catchClosed(ctx, err)
	})
}

// catchClosed keeps a worker that was turned away by Send from failing the
// session before what it sent earlier has been written. A bare context.Canceled would
// pass for an end that was asked for, and drop that as well.
func (r *session[_, _]) catchClosed(ctx context.Context, err error) error {
	switch {
	case r.queue.isClosed() && !lifecycle.IsFinal(err) && errors.Is(err, ErrClosed):
		return nil
	case r.stopped() != nil:
		return r.stopped()
	case r.context.Err() != nil && r.isNewsOfTheEnd(err):
		return nil // the worker has heard of the peer's end
	case err == context.Canceled && ctx.Err() == nil:
		return fmt.Errorf("stream: worker: %w", err)
	default:
		return err
	}
}

// isNewsOfTheEnd tells if a worker says no more than that Context is over: its bare
// cause, or its error, also wrapped. A wrapped io.EOF may be of any stream, and what
// is joined to news is a failure.
func (r *session[_, _]) isNewsOfTheEnd(err error) bool {
	if err == context.Cause(r.context) {
		return true
	}
	if lifecycle.IsFinal(err) {
		return false // a panic, or an error that has no end
	}
	for err != nil && err != context.Canceled {
		err = errors.Unwrap(err)
	}
	return err != nil
}

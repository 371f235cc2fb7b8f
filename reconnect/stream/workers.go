package stream

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"darvaza.org/x/net/lifecycle"
	"darvaza.org/x/net/worker"
)

// Go runs functions beside the session, each in a goroutine of its own; nil
// functions are skipped. Their context ends when the session does, after an orderly
// end has written what was queued. The first error ends the session with it,
// except for one that says no more than that the session is closing, by [ErrClosed], or,
// over a client at the peer's end, that Context is over, by context.Canceled: also
// wrapped, but not joined to any other. Otherwise a context.Canceled is no end that the
// user asked for, unless the function's own context is over. The session isn't done
// before they have returned.
//
// Go doesn't block. While the session ends functions still run, with a
// context that is over, and keep it from being done as the others do: don't add them
// without end. After it is done they don't run.
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
	case r.stopped() != nil:
		return r.stopped()
	case !lifecycle.IsFinal(err) && r.isNews(err): // a panic isn't, nor an error that has no end
		return nil
	case err == context.Canceled && ctx.Err() == nil:
		return fmt.Errorf("stream: worker: %w", err)
	default:
		return err
	}
}

// isNews tells if a worker says no more than that the session is closing, or that
// Context is over, which is the peer's end. That may also be its bare cause, but not
// a wrapped one: a wrapped io.EOF may be of any stream.
func (r *session[_, _]) isNews(err error) bool {
	closing, over := r.queue.isClosed(), r.context.Err() != nil
	return over && isSame(err, context.Cause(r.context)) || isOnly(err, func(node error) bool {
		return closing && matches(node, ErrClosed) || over && matches(node, context.Canceled)
	})
}

// isSame tells if two errors are one. Those that can't be compared have to be alike.
func isSame(err, other error) bool {
	if reflect.ValueOf(err).Comparable() {
		return err == other
	}
	return reflect.DeepEqual(err, other)
}

// isOnly tells if an error, and each that is joined to it, is or wraps one such as is
// says.
func isOnly(err error, is func(error) bool) bool {
	if is(err) {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		return inner != nil && isOnly(inner, is)
	case interface{ Unwrap() []error }:
		parts := e.Unwrap()
		return len(parts) > 0 && !slices.ContainsFunc(parts, func(part error) bool { return part != nil && !isOnly(part, is) })
	default:
		return false
	}
}

// matches is errors.Is without what err wraps.
func matches(err, target error) bool {
	e, ok := err.(interface{ Is(error) bool })
	return err == target || ok && e.Is(target)
}

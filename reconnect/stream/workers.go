package stream

import (
	"context"
	"errors"

	"darvaza.org/x/net/worker"
)

// Go runs functions beside the session, each in a goroutine of its own; nil
// functions are skipped. Their context ends when the session does, after an orderly
// end has written what was queued. The first error ends the session with it,
// except for one that matches [ErrClosed] while the session is closing: it
// says no more than that. The session isn't done before they have returned.
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
// session before what it sent earlier has been written.
func (r *session[_, _]) catchClosed(_ context.Context, err error) error {
	if r.queue.isClosed() && errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

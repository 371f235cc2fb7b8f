package stream

import (
	"context"
	"fmt"
)

// Send queues a message, and blocks while the queue is full. It returns nil for
// a message that was accepted: it will be written unless the session ends by
// an error, its Context, Close, or a Shutdown that gives up. A message is never written
// in parts between those of others, and those of one goroutine keep their order.
//
// After the end of the session, or of its outbound side by Shutdown or the
// end of the peer's stream, the error matches [ErrClosed], and the reason of
// the end if there is one. Then a Send that is blocked returns, too.
func (s *StreamSession[_, Output]) Send(m Output) error {
	r := s.live("Send")
	return r.sendError(r.queue.put(m, nil))
}

// SendContext is [StreamSession.Send] that gives up when ctx ends and returns
// the error of ctx; the message isn't sent then. It doesn't begin when ctx
// is already over. A nil ctx never ends.
func (s *StreamSession[_, Output]) SendContext(ctx context.Context, m Output) error {
	r := s.live("SendContext")
	if ctx == nil {
		return r.sendError(r.queue.put(m, nil))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := r.queue.put(m, ctx.Done())
	if err == ErrQueueFull {
		return ctx.Err()
	}
	return r.sendError(err)
}

// TrySend is [StreamSession.Send] that never blocks: it returns [ErrQueueFull]
// instead.
func (s *StreamSession[_, Output]) TrySend(m Output) error {
	r := s.live("TrySend")
	return r.sendError(r.queue.tryPut(m))
}

// sendError adds the reason of the end, if it is known, to an ErrClosed.
func (r *session[_, _]) sendError(err error) error {
	if err == nil || err == ErrQueueFull {
		return err
	}
	if cause := r.outcome(r.group.Err()); cause != nil {
		return fmt.Errorf("stream: session %w: %w", err, cause)
	}
	return fmt.Errorf("stream: session %w", err)
}

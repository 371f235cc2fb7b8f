package stream

import (
	"context"
	"time"
)

// Close ends the session at once, as one that went well: messages that are queued
// are dropped, and Conn is closed when it returns if no one else's stop
// came first. It doesn't wait for goroutines, so hooks and workers may call it;
// [StreamSession.Wait] does. It returns nil, and may be called again.
func (s *StreamSession[_, _]) Close() error {
	s.live("Close").cancel(nil)
	return nil
}

// Shutdown ends the session in an orderly way: Send no longer accepts messages,
// those accepted are written to Conn, and Conn is closed, with what came in and wasn't
// ready to be received yet.
//
// Until then a message that comes in waits 250 ms for whoever receives; where nobody
// does, it and all after it are dropped, so that a peer that answers can go on
// and read what is queued.
//
// Where Conn has a CloseWrite method, as those of package net for TCP and Unix sockets, of
// [crypto/tls] and a client over these have, that follows what is queued, and the peer
// can read all of it, answer, and end its stream, before Conn is closed. Shutdown waits
// for that until a read fails or Context ends, for 2 s at most, and no longer than one
// second after the last that came or was received, half a second if there is nothing. No
// error from there on fails the session, though a panic or a function of
// [StreamSession.Go] does. (Before that, over TLS, a handshake that isn't through is
// waited for, for 2 s at most, and CloseWrite itself may take 5 s, where the peer doesn't
// read.)
//
// Shutdown blocks until the session is done and returns what Wait returns. When ctx
// ends first Shutdown closes the session as [StreamSession.Close] does, and returns
// the error of ctx without waiting. A nil ctx never ends.
//
// It may be called more than once, concurrently, and after the end. Called by a
// hook or a worker of the session, it waits for itself until ctx ends.
func (s *StreamSession[_, _]) Shutdown(ctx context.Context) error {
	r := s.live("Shutdown")
	r.queue.close()

	var expired <-chan struct{}
	if ctx != nil {
		expired = ctx.Done()
	}
	select {
	case <-r.group.Done():
	case <-expired:
		select {
		case <-r.group.Done():
		default:
			r.giveUp()
			return ctx.Err()
		}
	}
	return r.outcome(r.group.Wait())
}

// patience is how long a Shutdown that has given up waits for Conn's Close. It
// is meant for one that takes its normal course, on a busy machine.
const patience = 100 * time.Millisecond

// giveUp stops the session. Conn's Close may block, and whoever has given up must
// not wait for it; the group does.
func (r *session[_, _]) giveUp() {
	stopped := make(chan struct{})
	r.group.Go(func(context.Context) error {
		defer close(stopped)
		r.cancel(nil)
		return nil
	})
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-stopped:
	case <-r.group.Done(): // it was over already
	case <-timer.C:
	}
}

// Wait blocks until the session is done, and returns why it ended: nil if it
// went well, otherwise the error. See [StreamSession].
func (s *StreamSession[_, _]) Wait() error {
	r := s.live("Wait")
	return r.outcome(r.group.Wait())
}

// Done returns a channel that is closed once Conn is closed and every goroutine
// of the session has ended. It is the same one each time.
func (s *StreamSession[_, _]) Done() <-chan struct{} {
	return s.live("Done").group.Done()
}

// Err returns nil until the session begins to end, and from then on what Wait
// will return. It doesn't block.
func (s *StreamSession[_, _]) Err() error {
	r := s.live("Err")
	if r.stopped() != nil {
		<-r.group.Context().Done() // contextOver is about to see to that, and to what follows
	}
	return r.outcome(r.group.Err())
}

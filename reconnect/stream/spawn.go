package stream

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
)

// Spawn starts the session and doesn't block. The first call that finds the
// fields in order takes them; each one after it, also a concurrent one, fails with
// an error that matches [fs.ErrExist].
//
// When a required field is missing, or MaxMessageSize is negative, the error
// names the field and matches [fs.ErrInvalid] and [core.ErrInvalid]. Nothing
// has happened then: Conn is still the caller's, and Spawn may be called again.
//
// A Context that is already over is no error of Spawn, but the end of the session.
func (s *StreamSession[Input, Output]) Spawn() error {
	if s == nil {
		return errInvalid("nil StreamSession")
	}
	if s.running.Load() != nil {
		return errExist()
	}
	if err := s.validate(); err != nil {
		return err
	}

	r := newSession(s)
	r.group.Hold() // a stop that comes as soon as the methods work must find what follows
	if !s.running.CompareAndSwap(nil, r) {
		return errExist() // and r is nothing but memory yet
	}
	r.group.Go(r.under(r.read), r.under(r.write))
	r.unhook = context.AfterFunc(r.context, r.contextOver)
	close(r.ready)
	r.group.Release()
	return nil
}

func errExist() error {
	return fmt.Errorf("stream: already spawned: %w", fs.ErrExist)
}

func (s *StreamSession[_, _]) validate() error {
	switch {
	case s.Conn == nil:
		return errInvalid("Conn missing")
	case s.Unmarshal == nil:
		return errInvalid("Unmarshal missing")
	case s.Marshal == nil && s.MarshalTo == nil:
		return errInvalid("Marshal and MarshalTo missing")
	case s.MaxMessageSize < 0:
		return errInvalid("negative MaxMessageSize (%d)", s.MaxMessageSize)
	default:
		return nil
	}
}

// newSession copies the fields and fills in the defaults.
func newSession[Input, Output any](s *StreamSession[Input, Output]) *session[Input, Output] {
	r := &session[Input, Output]{
		conn:          s.Conn,
		split:         s.Split,
		marshalTo:     s.MarshalTo,
		marshal:       s.Marshal,
		unmarshal:     s.Unmarshal,
		readDeadline:  hooks{set: s.SetReadDeadline, unset: s.UnsetReadDeadline},
		writeDeadline: hooks{set: s.SetWriteDeadline, unset: s.UnsetWriteDeadline},
		onError:       s.OnError,
		limit:         s.MaxMessageSize,
		halfClose:     s.HalfClose,
		context:       s.Context,

		eof:       make(chan struct{}),
		lingering: make(chan struct{}),
		drained:   make(chan struct{}),
		ready:     make(chan struct{}),
		in:        make(chan Input, readAhead),
		queue:     newQueue[Output](s.QueueSize),
	}
	if r.split == nil {
		r.split = bufio.ScanLines
	}
	if r.limit == 0 {
		r.limit = DefaultMaxMessageSize
	}
	if r.context == nil {
		r.context = context.Background()
	}
	r.group.Parent = endless{r.context}
	r.group.OnCancel = r.end
	return r
}

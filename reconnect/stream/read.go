package stream

import (
	"bufio"
	"context"
	"fmt"
)

// read is the goroutine that turns the inbound stream into messages. It ends with
// the stream, with an error, or when ctx does, which closes the conn under it. While
// the session lingers it is an end that somebody has asked for, whatever comes in.
func (r *session[_, _]) read(ctx context.Context) error {
	<-r.ready

	src := &source{ctx: ctx, conn: r.conn, eof: r.eof, stopped: r.stopped, moved: &r.moved}
	if err := r.messages(ctx, src); err != nil && !isOver(r.lingering) {
		return err
	}
	if err := r.drain(ctx, src); err != nil && !isOver(r.lingering) {
		return err
	}
	close(r.drained) // not after a panic, which the group hasn't heard of yet
	return nil
}

// messages reads as long as there are messages, and somebody for them.
func (r *session[_, _]) messages(ctx context.Context, src *source) (err error) {
	failed := true // unless it returns, and well
	defer func() { r.closeIn(failed) }()
	err = r.scan(ctx, src)
	failed = err != nil
	return err
}

// closeIn ends what can be received. After a failure Err has to tell of it by then.
func (r *session[_, _]) closeIn(failed bool) {
	if !failed || !r.group.Hold() {
		close(r.in)
		return
	}
	context.AfterFunc(r.group.Context(), func() {
		defer r.group.Release()
		close(r.in)
	})
}

func (r *session[_, _]) scan(ctx context.Context, src *source) error {
	scan := newScanner(src, r.split, r.limit)
	for {
		if err := r.readDeadline.before("ReadDeadline"); err != nil {
			return err
		}
		if !scan.Scan() {
			return r.readEnd(scan.Err(), src.failed)
		}
		if err := r.readDeadline.after("ReadDeadline"); err != nil {
			return err
		}
		if ok, err := r.receive(ctx, scan.Bytes(), src.cut); !ok {
			return err
		}
	}
}

// receive decodes one message and waits until there is a place for it. It is
// false when there is nobody to read for any more. One that is cut off, and makes no
// sense, is what a peer that dies leaves behind.
func (r *session[_, _]) receive(ctx context.Context, token []byte, cut bool) (bool, error) {
	// Without spare capacity: an append must not run into the next message.
	m, err := r.unmarshal(token[:len(token):len(token)])
	switch {
	case err == nil:
	case cut:
		return false, &cutError{err}
	default:
		return false, fmt.Errorf("stream: Unmarshal: %w", err)
	}

	// First without a look at ctx. That is cheaper, and when the session has
	// just been ended it keeps what has arrived before.
	select {
	case r.in <- m:
		return true, nil
	default:
	}
	return r.offer(ctx, m), nil
}

// readEnd judges why there are no further messages. Where it was the end of the
// session that cut the read short, the group has its reason and drops this one.
func (r *session[_, _]) readEnd(err error, failed bool) error {
	switch {
	case err == nil:
		if !r.halfClose {
			r.queue.close()
		}
		return nil
	case err == bufio.ErrTooLong:
		return errTooLong(r.limit)
	case failed:
		return r.broken("read", err)
	default: // of Split
		return fmt.Errorf("stream: read: %w", err)
	}
}

package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"darvaza.org/x/net/lifecycle"
)

const (
	// flushSize is how many bytes are enough for a Write, however many messages
	// are left.
	flushSize = 16 << 10
	// keepSize is how large a buffer is kept for the next Write.
	keepSize = 4 * flushSize
)

// write is the goroutine that encodes and writes what is queued. It ends when the
// queue is closed and empty, and ends the session then, as soon as the peer has read
// that; with an error; or when ctx does, which closes the conn under it.
func (r *session[_, Output]) write(ctx context.Context) error {
	<-r.ready

	var (
		buf   bytes.Buffer
		batch []Output
	)
	for {
		batch = r.queue.take(batch, ctx.Done())
		if len(batch) == 0 {
			if ctx.Err() == nil && r.stopped() == nil {
				r.linger(ctx)
			}
			r.cancel(nil)
			return nil
		}
		if err := r.writeBatch(ctx, &buf, batch); err != nil {
			return err
		}
	}
}

// writeBatch writes messages in as few Writes as seems good. Those before one
// that fails to encode are written as well.
func (r *session[_, Output]) writeBatch(ctx context.Context, buf *bytes.Buffer, batch []Output) error {
	for len(batch) > 0 {
		n, failure := r.encode(buf, batch)
		if n > 0 {
			if err := r.flush(ctx, buf); err != nil {
				if failure == nil {
					return err
				}
				return errors.Join(failure, err)
			}
			clear(batch[:n]) // the slice is kept for its capacity only
			r.queue.release(n)
		}
		if failure != nil {
			return failure
		}
		batch = batch[n:]
	}
	return nil
}

// encode appends messages to buf until they make a Write, and returns how many.
// After an error, or a panic, of Marshal buf has what came before that message.
func (r *session[_, Output]) encode(buf *bytes.Buffer, batch []Output) (n int, err error) {
	whole := 0
	err = lifecycle.Call(func() error {
		for n < len(batch) && buf.Len() < flushSize {
			if err := r.encodeOne(buf, batch[n]); err != nil {
				return err
			}
			whole = buf.Len()
			n++
			if r.writeDeadline.any() {
				break
			}
		}
		return nil
	})
	if err != nil {
		buf.Truncate(whole)
	}
	return n, err
}

func (r *session[_, Output]) encodeOne(buf *bytes.Buffer, m Output) error {
	if r.marshalTo != nil {
		if err := r.marshalTo(m, buf); err != nil {
			return fmt.Errorf("stream: MarshalTo: %w", err)
		}
		return nil
	}
	b, err := r.marshal(m)
	if err != nil {
		return fmt.Errorf("stream: Marshal: %w", err)
	}
	buf.Write(b)
	return nil
}

// flush writes what is in buf, and empties it.
func (r *session[_, _]) flush(ctx context.Context, buf *bytes.Buffer) error {
	if buf.Len() > 0 {
		if err := r.writeOut(ctx, buf.Bytes()); err != nil {
			return err
		}
	}
	buf.Reset()
	if buf.Cap() > keepSize {
		*buf = bytes.Buffer{}
	}
	return nil
}

func (r *session[_, _]) writeOut(ctx context.Context, b []byte) error {
	if err := r.writeDeadline.before("WriteDeadline"); err != nil {
		return err
	}
	// Not to a conn that is already closed; see source.
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	n, err := r.conn.Write(b)
	if err == nil && n != len(b) {
		err = io.ErrShortWrite
	}
	if buffered, ok := r.conn.(interface{ Flush() error }); ok && err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return r.broken("write", err)
	}
	return r.writeDeadline.after("WriteDeadline")
}

package stream

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"
)

// An orderly end waits for the peer to end its stream as long as something comes, or is
// received, in each lingerStep, but for no more than lingerSteps.
const (
	lingerStep  = 500 * time.Millisecond
	lingerSteps = 4
)

// keepUp is how long a message waits for somebody who receives it once the queue is
// closed. What comes after one that nobody took is read and dropped: held back, a peer
// that waits for us to read wouldn't read what is queued either.
const keepUp = lingerStep / 2

// linger ends our half of the stream where the conn can do that, and waits for the
// peer to end its own. To close a socket while there is something to read, or to
// come, resets the connection: the peer can't answer any more, and may never see what
// was written last.
func (r *session[_, _]) linger(ctx context.Context) {
	conn, ok := r.conn.(halfCloser)
	over := isOver(r.eof)
	if !ok && !over {
		return
	}
	close(r.lingering)
	ctx, cancel := context.WithTimeout(ctx, lingerSteps*lingerStep)
	defer cancel()
	if !over && errors.Is(r.endHalf(ctx, conn), errors.ErrUnsupported) {
		return // after any other error read comes to an end itself, after what came before
	}
	r.moved.Store(false)
	ticker := time.NewTicker(lingerStep)
	defer ticker.Stop()
	for {
		select {
		case <-r.drained:
			return
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if !r.moved.Swap(false) {
			return
		}
	}
}

// A halfCloser is a conn that can end its half of the stream.
type halfCloser interface {
	CloseWrite() error
}

// endHalf ends our half of the stream. TLS can't do so before its handshake is through,
// which is a read's to make: it may be waiting for the peer yet. To call Handshake
// beside that would wait for a lock.
func (r *session[_, _]) endHalf(ctx context.Context, conn halfCloser) error {
	err := conn.CloseWrite()
	if !isEarly(err) {
		return err
	}
	ticker := time.NewTicker(handshakeStep)
	defer ticker.Stop()
	for isEarly(err) {
		select {
		case <-r.drained:
			return err
		case <-ctx.Done():
			return err
		case <-ticker.C:
			err = conn.CloseWrite()
		}
	}
	return err
}

// handshakeStep is the time between two looks for the end of a handshake.
const handshakeStep = 10 * time.Millisecond

// isEarly recognises what crypto/tls, which keeps the error to itself, has to say of a
// CloseWrite within the handshake.
func isEarly(err error) bool {
	return err != nil && strings.Contains(err.Error(), "CloseWrite called before handshake complete")
}

// drain drops what comes after the last message that there was somebody for, from when
// the queue is closed.
func (r *session[_, _]) drain(ctx context.Context, src *source) error {
	select {
	case <-r.queue.closed:
	case <-ctx.Done():
		return nil
	}
	buf := make([]byte, drainSize)
	for !src.ended && !src.failed {
		if err := r.readDeadline.before("ReadDeadline"); err != nil {
			return err
		}
		_, err := src.Read(buf)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return r.broken("read", err)
		}
		if err := r.readDeadline.after("ReadDeadline"); err != nil {
			return err
		}
	}
	return nil
}

// drainSize is how much is dropped at a time.
const drainSize = 4 << 10

func isOver(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

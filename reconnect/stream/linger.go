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
	r.moved.Store(false)
	if !over && !r.endHalf(ctx, conn) {
		return
	}
	ticker := time.NewTicker(lingerStep)
	defer ticker.Stop()
	for range lingerSteps {
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

// endHalf ends our half of the stream, and reports whether there is an end to wait for:
// after most errors read comes to one itself, after what came before. TLS can't end its
// half before its handshake is through, which is a read's to make: it may be waiting for
// the peer yet. To call Handshake beside that would wait for a lock.
func (r *session[_, _]) endHalf(ctx context.Context, conn halfCloser) bool {
	patience := time.NewTimer(lingerSteps * lingerStep)
	defer patience.Stop()
	for {
		err := conn.CloseWrite()
		if !isEarly(err) {
			return !errors.Is(err, errors.ErrUnsupported)
		}
		select {
		case <-r.drained:
			return false
		case <-ctx.Done():
			return false
		case <-patience.C:
			return false
		case <-time.After(handshakeStep):
		}
	}
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

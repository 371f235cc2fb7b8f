package stream

import (
	"context"
	"io"
	"time"
)

// An orderly end waits for the peer to end its stream as long as something comes in each
// lingerStep, but for no more than lingerSteps.
const (
	lingerStep  = 500 * time.Millisecond
	lingerSteps = 4
)

// linger ends our half of the stream where the conn can do that, and waits for the
// peer to end its own. To close a socket while there is something to read, or to
// come, resets the connection: the peer can't answer any more, and may never see what
// was written last.
func (r *session[_, _]) linger() {
	conn, ok := r.conn.(interface{ CloseWrite() error })
	if !ok || isOver(r.eof) {
		return
	}
	close(r.lingering)
	r.heard.Store(false)
	if conn.CloseWrite() != nil {
		return
	}
	ticker := time.NewTicker(lingerStep)
	defer ticker.Stop()
	for range lingerSteps {
		select {
		case <-r.drained: // also when the session is ended
			return
		case <-ticker.C:
		}
		if !r.heard.Swap(false) {
			return
		}
	}
}

// drain takes what comes after the last message that there was somebody for, while
// the session lingers.
func (r *session[_, _]) drain(ctx context.Context, src io.Reader) {
	select {
	case <-r.lingering:
		_, _ = io.Copy(io.Discard, src)
	case <-ctx.Done():
	}
}

func isOver(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

package stream

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"darvaza.org/x/net/worker"
)

// readAhead is how many messages of the peer are decoded before somebody
// receives them.
const readAhead = 16

// session is what runs behind a StreamSession. The group owns both goroutines, read
// and write, and those of the user.
//
//	Send ──► queue ──► write ──► conn ──► read ──► in ──► Recv
//
// It ends in one way: the group stops, and end closes the conn, which frees
// read and write. An orderly end closes the queue, and leaves it to write to
// stop the group when it has come to the queue's end.
type session[Input, Output any] struct {
	// Set before the start, never written afterwards.
	conn          io.ReadWriteCloser
	split         bufio.SplitFunc
	marshal       func(Output) ([]byte, error)
	marshalTo     func(Output, io.Writer) error
	unmarshal     func([]byte) (Input, error)
	readDeadline  hooks
	writeDeadline hooks
	onError       func(error)
	limit         int
	halfClose     bool

	ready chan struct{} // closed once the methods work
	in    chan Input    // sent to and closed by read alone
	queue *queue[Output]
	group worker.Group
}

// end is called once when the group stops, by whoever stops it, and before it is
// done.
func (r *session[_, _]) end(cause error) {
	<-r.ready
	r.queue.close()
	// Told even if Close panics, which is an error of the session then.
	defer func() {
		if r.onError != nil && !r.isGoodEnd(cause) {
			r.onError(cause)
		}
	}()
	_ = r.conn.Close()
}

// isGoodEnd tells by identity, as the group does: an error that wraps
// context.Canceled is somebody's failure. Where Context belongs to a connection, as
// that of a client's session does, its cause is io.EOF when the peer
// has ended the stream, which may be known here before read has come to it.
func (r *session[_, _]) isGoodEnd(cause error) bool {
	switch cause {
	case nil, context.Canceled:
		return true
	case io.EOF:
		return r.group.Parent != nil && context.Cause(r.group.Parent) == io.EOF
	default:
		return false
	}
}

// outcome is what methods tell of the group's error.
func (r *session[_, _]) outcome(err error) error {
	if r.isGoodEnd(err) {
		return nil
	}
	return err
}

// hooks are called around a message. Either may be nil.
type hooks struct {
	set, unset func() error
}

func (h hooks) any() bool {
	return h.set != nil || h.unset != nil
}

func (h hooks) before(name string) error {
	return callHook(h.set, "Set", name)
}

func (h hooks) after(name string) error {
	return callHook(h.unset, "Unset", name)
}

func callHook(fn func() error, prefix, name string) error {
	if fn == nil {
		return nil
	}
	if err := fn(); err != nil {
		return fmt.Errorf("stream: %s%s: %w", prefix, name, err)
	}
	return nil
}

package stream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"darvaza.org/x/net/lifecycle"
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

	judged sync.Once
	ofPeer bool // an io.EOF is that of Context, and no failure; set by judged

	context context.Context // the user's
	unhook  func() bool     // ends the watch on it, set before ready is closed
	eof     chan struct{}   // closed by read when it has come to the end of the stream

	lingering chan struct{} // closed by write when it has written all there ever is
	drained   chan struct{} // closed by read when nothing more comes
	moved     atomic.Bool   // something came, or was received, since linger looked

	ready chan struct{} // closed once Spawn is through
	in    chan Input    // sent to and closed by messages alone
	queue *queue[Output]
	group worker.Group
}

// end is called once when the group stops, by whoever stops it, and before it is
// done.
func (r *session[_, _]) end(cause error) {
	<-r.ready
	r.isGoodEnd(cause) // before Close, with which Context may end
	r.unhook()
	r.queue.close()
	failure := worker.ErrGoexit // unless Close comes back
	defer func() {
		// The group makes the last panic or Goexit a part of what Wait returns.
		p := recover()
		if p != nil {
			failure = lifecycle.Recovered(p)
		}
		told := lifecycle.Call(func() error { r.tell(failure); return nil })
		switch {
		case told == nil && p == nil: // well, or Goexit goes on
		case told == nil:
			panic(failure)
		case failure == nil:
			panic(told)
		default:
			panic(errors.Join(failure, told))
		}
	}()
	_ = r.conn.Close()
	failure = nil
}

// tell calls OnError with what Wait will return when Conn's Close has ended in
// failure, or well.
func (r *session[_, _]) tell(failure error) {
	err := r.outcome(r.group.Err())
	if failure != nil {
		err = errors.Join(r.group.Err(), failure)
	}
	if err != nil && r.onError != nil {
		r.onError(err)
	}
}

// isGoodEnd tells by identity, as the group does: an error that wraps
// context.Canceled is somebody's failure. Where Context belongs to a connection, as
// that of a client's session does, its cause is io.EOF when the peer
// has ended the stream, which may be known here before read has come to it. That
// is looked at once: what Wait gives stays.
func (r *session[_, _]) isGoodEnd(cause error) bool {
	switch cause {
	case nil, context.Canceled:
		return true
	case io.EOF:
		r.judged.Do(func() { r.ofPeer = context.Cause(r.context) == io.EOF })
		return r.ofPeer
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

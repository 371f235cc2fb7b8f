package main

import (
	"context"
	"fmt"
	"sync"
)

// An outbox has the messages that were not echoed yet. They are numbered from
// 1, and echoes come in that order. All methods may be called concurrently.
//
// It keeps everything in memory and takes whatever it gets. One that matters
// would have a limit, and a place on disk.
type outbox struct {
	changed chan struct{} // has room for one: something was added
	empty   chan struct{} // has room for one: the last echo came

	mu      sync.Mutex // guards the fields below
	last    uint64     // the message added last
	acked   uint64     // the last one echoed
	sent    uint64     // the last one sent on this connection
	highest uint64     // the last one sent on any
	resent  int
}

func newOutbox() *outbox {
	return &outbox{changed: make(chan struct{}, 1), empty: make(chan struct{}, 1)}
}

// notify makes a channel with room for one ready.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// add puts the next message in.
func (o *outbox) add() {
	o.mu.Lock()
	o.last++
	o.mu.Unlock()
	notify(o.changed)
}

// rewind makes next begin with the oldest message that has no echo. There must
// be no next under way.
func (o *outbox) rewind() {
	o.mu.Lock()
	o.sent = o.acked
	o.mu.Unlock()
}

// next takes the next message to send, and blocks until there is one or ctx
// ends.
func (o *outbox) next(ctx context.Context) (uint64, error) {
	for {
		if n, ok := o.take(); ok {
			return n, nil
		}
		select {
		case <-o.changed:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (o *outbox) take() (uint64, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent == o.last {
		return 0, false
	}
	o.sent++
	if o.sent <= o.highest {
		o.resent++
	} else {
		o.highest = o.sent
	}
	return o.sent, true
}

// echoed takes message n out. An echo that isn't the next one expected is an
// error.
func (o *outbox) echoed(n uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n != o.acked+1 || n > o.sent {
		return fmt.Errorf("echo of message %d after that of %d, with %d sent", n, o.acked, o.sent)
	}
	o.acked = n
	if o.acked == o.last {
		notify(o.empty)
	}
	return nil
}

// waiting is the number of messages without an echo.
func (o *outbox) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int(o.last - o.acked)
}

// waitEmpty blocks until every message has its echo, or ctx ends.
func (o *outbox) waitEmpty(ctx context.Context) error {
	for o.waiting() > 0 {
		select {
		case <-o.empty:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// counts gives the messages added, echoed, and sent more than once.
func (o *outbox) counts() (added, echoed, resent int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int(o.last), int(o.acked), o.resent
}

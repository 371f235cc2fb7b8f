package stream

import (
	"math"
	"sync"
)

// queue holds what Send accepted until it has been written. Many put, one
// goroutine takes.
//
// Its promise: put returns nil exactly when the message will come out of take,
// unless take is abandoned. It holds because the flag that ends the queue and
// the messages are under the same mutex.
type queue[T any] struct {
	// room has one element for each message accepted and not yet released, so
	// its capacity is the bound, and channels serve those who wait in order.
	room chan struct{}
	// wake tells the taker to look again. One element is enough: it looks at
	// everything each time.
	wake chan struct{}
	// closed ends the queue. It is closed under mu, and may be looked at without.
	closed chan struct{}

	// mu guards the fields below. Nobody waits or calls out under it.
	mu    sync.Mutex
	items []T
	idle  bool // the taker is, or soon will be, waiting for wake
}

// newQueue makes a queue for size messages beside the one that is being written.
func newQueue[T any](size uint) *queue[T] {
	// Elements of room take no memory, so the bound may be absurd.
	bound := int(min(size, math.MaxInt32-1)) + 1
	return &queue[T]{
		room:   make(chan struct{}, bound),
		wake:   make(chan struct{}, 1),
		closed: make(chan struct{}),
	}
}

// tryPut adds a message if there is room. It never blocks.
func (q *queue[T]) tryPut(m T) error {
	select {
	case q.room <- struct{}{}:
		return q.add(m)
	default:
		if q.isClosed() {
			return ErrClosed
		}
		return ErrQueueFull
	}
}

// put adds a message, and waits for room until abort is closed. Then it returns
// ErrQueueFull: it is the caller who knows better.
func (q *queue[T]) put(m T, abort <-chan struct{}) error {
	if err := q.tryPut(m); err != ErrQueueFull {
		return err
	}
	select {
	case q.room <- struct{}{}:
		return q.add(m)
	case <-q.closed:
		return ErrClosed
	case <-abort:
		return ErrQueueFull
	}
}

// add stores a message for which there is room.
func (q *queue[T]) add(m T) error {
	q.mu.Lock()
	if q.isClosed() {
		q.mu.Unlock()
		q.release(1)
		return ErrClosed
	}
	q.items = append(q.items, m)
	idle := q.idle
	q.idle = false
	q.mu.Unlock()

	if idle {
		q.notify()
	}
	return nil
}

// keepItems is for how many messages a queue keeps room while it is empty.
const keepItems = 1 << 10

// take waits for messages and returns all there are, in order. It returns none
// when the queue is closed and empty, or when abort is closed. The
// taker gives back the slice of the previous call, cleared, and releases the messages
// once they are written.
func (q *queue[T]) take(used []T, abort <-chan struct{}) []T {
	for {
		q.mu.Lock()
		items := q.items
		if len(items) > 0 {
			q.items = used[:0]
			q.mu.Unlock()
			return items
		}
		q.idle = true
		if cap(items) > keepItems {
			q.items = nil
		}
		closed := q.isClosed()
		q.mu.Unlock()

		if cap(used) > keepItems {
			used = nil
		}
		if closed {
			return nil
		}
		select {
		case <-q.wake:
		case <-abort:
			return nil
		}
	}
}

// release makes room for n more messages. It doesn't block, because room holds
// an element for each.
func (q *queue[T]) release(n int) {
	for range n {
		<-q.room
	}
}

// close ends put. What was accepted can still be taken. It may be called more
// than once.
func (q *queue[T]) close() {
	q.mu.Lock()
	first := !q.isClosed()
	if first {
		close(q.closed)
	}
	q.mu.Unlock()

	if first {
		q.notify()
	}
}

func (q *queue[T]) isClosed() bool { return isOver(q.closed) }

func (q *queue[T]) notify() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

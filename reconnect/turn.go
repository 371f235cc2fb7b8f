package reconnect

import (
	"container/list"
	"net"
	"os"
	"syscall"
	"time"
)

// A turn is the place of a call in the queue of a direction.
type turn struct {
	granted chan struct{}
	place   *list.Element // nil once it was granted or given up
}

// lock waits for the call's turn until limit. The caller has found the lock
// taken, or has to read the clock anyway.
func (d *direction) lock(limit time.Duration) error {
	t := d.enqueue()
	if t == nil {
		return nil
	}
	if limit == unknown {
		<-t.granted
		return nil
	}
	timer := time.NewTimer(max(limit-d.now(), 0))
	defer timer.Stop()
	select {
	case <-t.granted:
		return nil
	case <-timer.C:
	}
	if d.dequeue(t) {
		return os.ErrDeadlineExceeded
	}
	<-t.granted // it was, or else the limit has gone and that of the others counts
	return nil
}

// enqueue takes the lock, or else a place in the queue. The waiting bit is set
// first, so that whoever lets go of the lock after that looks at the queue.
func (d *direction) enqueue() *turn {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dismissed {
		return nil
	}
	d.word.Or(waiting)
	if !d.isAwaited() && d.take() {
		d.word.And(^uint64(waiting))
		return nil
	}
	if d.queue == nil {
		d.queue = list.New()
	}
	t := &turn{granted: make(chan struct{})}
	t.place = d.queue.PushBack(t)
	return t
}

// dequeue gives up a place in the queue. It is false when the call has its
// turn already, or has to wait for it since nothing bounds calls one by one any
// more.
func (d *direction) dequeue(t *turn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.fixed && d.bound > 0 && d.remove(t)
}

// remove takes a call out of the queue, unless it has its turn already. The
// mutex is held.
func (d *direction) remove(t *turn) bool {
	if t.place == nil {
		return false
	}
	d.queue.Remove(t.place)
	t.place = nil
	if !d.isAwaited() {
		d.word.And(^uint64(waiting))
	}
	return true
}

// isAwaited tells if the queue isn't empty. The mutex is held.
func (d *direction) isAwaited() bool {
	return d.queue != nil && d.queue.Len() > 0
}

// grant gives the first in the queue its turn. The mutex is held.
func (d *direction) grant() {
	t := d.queue.Front().Value.(*turn)
	d.remove(t)
	close(t.granted)
}

// drain waits for the writes under way and those in the queue, up to the last
// deadline.
func (d *direction) drain() {
	if d.loose {
		drainSocket(d.session.conn)
	}
	if d.word.Load()&free != 0 {
		return
	}
	t := d.enqueue()
	if t != nil && !d.await(t) {
		return
	}
	if w := d.word.Add(leave(busy, 0)); w&(waiting|over) != 0 {
		d.handOver(0, w)
	}
}

// drainSocket waits for the writes that don't take turns. Those of a socket
// take its own, and that is what raw access waits for.
func drainSocket(conn net.Conn) {
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err == nil {
		_ = raw.Write(func(uintptr) bool { return true })
	}
}

// await is false where a transport doesn't keep its deadline.
func (d *direction) await(t *turn) bool {
	timer := time.NewTimer(max(d.left(), 0))
	defer timer.Stop()
	select {
	case <-t.granted:
		return true
	case <-timer.C:
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.remove(t)
}

// dismiss ends the taking of turns when the connection is closed, which is what
// everybody will find. A call that has panicked would never let go of the lock.
func (d *direction) dismiss() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dismissed = true
	for d.isAwaited() {
		d.grant()
	}
}

// take takes the lock if it is free.
func (d *direction) take() bool {
	return d.word.Or(busy)&busy == 0
}

// tryLock takes the lock if nothing stands in the way of the fast path. w is
// the word as it was seen.
func (d *direction) tryLock(w uint64) bool {
	return w&(busy|noting|waiting) == 0 && d.word.CompareAndSwap(w, w|busy)
}

// leave is what to add to the word at the end of a call, to count n bytes and let
// go of the lock in one go. A call that came in when the word was free has no
// lock.
func leave(w uint64, n int) uint64 {
	change := uint64(n) << bytesShift
	if w&free == 0 {
		change -= busy
	}
	return change
}

// handOver gives the next in the queue its turn.
func (d *direction) handOver(n int, w uint64) {
	if w&over != 0 {
		d.session.client.count(d.write, n)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.isAwaited() || !d.take() {
		return // somebody was faster, and will be back here
	}
	d.grant()
}

// collect returns the bytes that went through; from then on calls that come in
// late count for the client.
func (d *direction) collect() uint64 {
	return d.word.Or(over) >> bytesShift
}

// bytes are those that collect would return.
func (d *direction) bytes() uint64 {
	w := d.word.Load()
	if w&over != 0 {
		return 0
	}
	return w >> bytesShift
}

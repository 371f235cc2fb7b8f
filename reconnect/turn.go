package reconnect

import (
	"container/list"
	"os"
	"time"
)

// A turn is the place of a call in the queue of a direction.
type turn struct {
	granted chan struct{} // closed when the turn has come, or never will
	moved   chan struct{} // has something when limit isn't what it was

	// guarded by the direction's mutex; after granted all is as it stays
	place *list.Element // nil once it was granted or given up
	limit time.Duration
	late  bool // the connection is closed: the lock isn't the call's
}

// lock waits for the call's turn until limit, and returns the limit that counts
// from then on: a reset may have moved it. The caller has found the lock taken,
// or has to read the clock anyway.
func (d *direction) lock(limit time.Duration) (time.Duration, error) {
	t, limit, err := d.enqueue(limit)
	if t == nil {
		return limit, err
	}
	timer := time.NewTimer(longest)
	defer timer.Stop()
	for {
		left, ok := d.patience(t)
		if !ok {
			return limit, os.ErrDeadlineExceeded
		}
		timer.Reset(left)
		select {
		case <-t.granted:
			if t.late {
				return limit, d.session.closedError()
			}
			return t.limit, nil
		case <-t.moved:
		case <-timer.C:
		}
	}
}

// enqueue takes the lock, or else a place in the queue. The waiting bit is set
// first, so that whoever lets go of the lock after that looks at the queue.
func (d *direction) enqueue(limit time.Duration) (*turn, time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dismissed {
		return nil, limit, d.session.closedError()
	}
	limit = d.limit(limit)
	d.word.Or(waiting)
	if !d.isAwaited() && d.take() {
		d.tell(limit)
		d.word.And(^uint64(waiting))
		return nil, limit, nil
	}
	if d.queue == nil {
		d.queue = list.New()
	}
	t := &turn{granted: make(chan struct{}), moved: make(chan struct{}, 1), limit: limit}
	t.place = d.queue.PushBack(t)
	return t, limit, nil
}

// patience is how long a call in the queue may wait. It is false for one whose
// time is over: that has left the queue. One that has its turn, or waits under a
// deadline fixed by the user, isn't told to go.
func (d *direction) patience(t *turn) (time.Duration, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.place == nil || t.limit == unknown || d.fixed {
		return longest, true
	}
	left := t.limit - d.now()
	if left <= 0 {
		d.remove(t)
	}
	return left, left > 0
}

// remove takes a call out of the queue. The mutex is held.
func (d *direction) remove(t *turn) {
	d.queue.Remove(t.place)
	t.place = nil
	if !d.isAwaited() && d.until == 0 {
		d.word.And(^uint64(waiting))
	}
}

// isAwaited tells if the queue isn't empty. The mutex is held.
func (d *direction) isAwaited() bool {
	return d.queue != nil && d.queue.Len() > 0
}

// eachTurn calls fn with each call in the queue. The mutex is held.
func (d *direction) eachTurn(fn func(*turn)) {
	if d.queue == nil {
		return
	}
	for e := d.queue.Front(); e != nil; e = e.Next() {
		fn(e.Value.(*turn))
	}
}

// grant gives the first in the queue its turn. The mutex is held.
func (d *direction) grant() {
	t := d.queue.Front().Value.(*turn)
	d.remove(t)
	d.tell(t.limit)
	close(t.granted)
}

// drain waits for the writes under way and those in the queue, up to the last
// deadline.
func (d *direction) drain() {
	t, _, err := d.enqueue(unknown)
	if err != nil || t != nil && !d.await(t) {
		return
	}
	d.letGo(0, busy)
}

// await is false where a transport doesn't keep its deadline, and where the
// connection was closed.
func (d *direction) await(t *turn) bool {
	timer := time.NewTimer(max(d.left(), 0))
	defer timer.Stop()
	select {
	case <-t.granted:
	case <-timer.C:
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.place != nil {
		d.remove(t)
		return false
	}
	return !t.late
}

// dismiss ends the taking of turns when the connection is closed. A call that
// has panicked would never let go of the lock.
func (d *direction) dismiss() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dismissed = true
	for d.isAwaited() {
		d.queue.Front().Value.(*turn).late = true
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

// letGo is the end of a call that began when the word was w: it counts the n bytes.
func (d *direction) letGo(n int, w uint64) {
	if now := d.word.Add(leave(w, n)); now&(waiting|over) != 0 {
		d.handOver(n, w, now)
	}
}

// handOver gives the next in the queue its turn, at the end of a call that began when the
// word was w.
func (d *direction) handOver(n int, w, now uint64) {
	if w&free != 0 && n == 0 {
		return // it had none, and there is nothing to count
	}
	if now&over != 0 {
		d.session.client.count(d.write, n)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.word.Load()&busy != 0 {
		return // somebody was faster, whose limit that is by now, and will be back here
	}
	d.until = 0
	d.disarm()
	switch {
	case !d.isAwaited():
		d.word.And(^uint64(waiting))
	case d.take():
		d.grant()
	}
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

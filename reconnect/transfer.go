package reconnect

import "time"

// call is a Read or Write on the connection of this session, which needn't be
// the current one any more.
func (d *direction) call(p []byte) (n int, err error) {
	limit := unknown
	w := d.word.Load()
	if w&free == 0 && !d.tryLock(w) {
		if limit, err = d.enter(); err != nil {
			return 0, err
		}
		if err = d.prepare(limit); err != nil {
			return 0, d.giveUp(err)
		}
	}
	for again := true; again; {
		var m int
		if d.write {
			m, err = d.conn.Write(p[n:])
		} else {
			m, err = d.conn.Read(p)
		}
		n += m
		if again = err != nil && (d.write || n == 0); again {
			if limit, again, err = d.goOn(err, limit, w); again {
				if failed := d.prepare(limit); failed != nil {
					again, err = false, failed
				}
			}
		}
	}
	if limit != unknown {
		w &^= free // if it was, the call has a turn by now
		d.settle(limit)
	}
	if err != nil {
		err = d.failed(n, err)
	}
	d.letGo(n, w)
	return n, err
}

// transfer has the kernel move up to most bytes, in one turn. A deadline may
// come at any moment of a move and nothing is lost, so ticks come all the time,
// and the time-out is that of a connection on which nothing has moved for as
// long as the bound. On a tick others get their turn; then the transfer ends
// before it is complete. An error of the connection has yet to be told to the
// session. It is for sockets.
func (d *direction) transfer(most int, move func(most int) (int, error)) (n int, err error) {
	w := d.word.Load()
	if w&free == 0 && !d.tryLock(w) {
		limit, err := d.enter()
		if err != nil {
			return 0, err
		}
		if err = d.prepare(limit); err != nil {
			return 0, d.giveUp(err)
		}
		d.tickSoon()
	}
	limit, reset := unknown, time.Duration(0)
	for n < most {
		var m int
		m, err = move(most - n)
		n += m
		if err == nil || !isTimeout(err) {
			break
		}
		now := d.word.Load()
		joins := w&free != now&free // the deadline is that of a call which has its turn
		if !joins && d.stalled(m > 0, &limit, &reset) {
			break
		}
		err = nil
		if joins || m > 0 && now&waiting != 0 {
			break // to take turns
		}
	}
	d.letGo(n, w)
	return n, err
}

// tickSoon makes ticks come, also while a call is under way.
func (d *direction) tickSoon() {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.until = 0 // a transfer has limits of its own
	if d.fixed || d.bound <= 0 {
		return
	}
	d.word.And(^uint64(noting))
	_ = d.arm(now + d.bound/tick)
}

// stalled judges a time-out that a transfer ran into, after which something
// has moved or not: has nothing for too long? If not the next tick is armed. What a
// reset says takes the place of the limit once.
func (d *direction) stalled(moved bool, limit, reset *time.Duration) bool {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.fixed:
		return d.armed != 0 && now >= d.armed || d.arm(d.armed) != nil
	case d.bound <= 0:
		// The bound was taken away, unless the user has set a deadline by himself.
		own := d.armed == 0 && d.until == 0
		d.until, *reset = 0, 0
		return own || d.arm(0) != nil
	case d.until != *reset:
		*limit, *reset = d.until, d.until
	case moved || *limit == unknown:
		*limit = now + d.bound
	}
	if now >= *limit && d.armed > *limit {
		return true
	}
	next := min(now+d.bound/tick, *limit)
	if now >= *limit {
		// The program may have been held up. Only an attempt made after the
		// limit shows that the connection is.
		next = now + d.bound/(2*tick) + 1
	}
	return d.arm(next) != nil
}

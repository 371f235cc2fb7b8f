package reconnect

import (
	"container/list"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A direction bounds the reads, or the writes, of one connection, and counts
// their bytes.
//
// The bound counts from each call, yet on a socket of the kernel a call neither
// reads a clock nor arms a deadline as long as it doesn't block for long. A
// deadline comes round every 1/32 of the bound, as the tick of a coarse clock.
// A call that runs into it began at most one tick ago, so to count its bound
// from now is never early and hardly late: the deadline is armed for that, and
// the call goes on. A busy connection pays two atomic operations per call, and a
// microsecond per tick. After a call that took long the next one reads the clock
// first, and ticks come again when one has been quick.
//
// That takes what only the kernel's sockets promise: a deadline that passes
// breaks nothing, and one that is early in the middle of a write can be
// mended, as long as nobody else's write gets in between. So calls take turns,
// and wait for theirs outside the connection, each with a timer of its own. On
// any other transport a call reads the clock first, and the deadline is armed
// a little late, so that it will do for the calls of the next while.
//
// A direction without a bound leaves deadlines to the connection. Writes take
// turns nevertheless: one that is cut in two when a bound is set after all must
// go on before any other, and a stop waits for it. Reads don't, until they have to.
type direction struct {
	// word has the bytes that went through, above the bits of the lock below:
	// so that one atomic operation lets go of the lock and counts. The connection
	// lies beside it, for a call to need one cache line of the session, not two.
	word atomic.Uint64
	conn net.Conn // set by attach, as the three below

	session *session
	write   bool // which half of the connection this is
	ticking bool // deadlines may come early
	loose   bool // reads may be under way that began free; guarded by mu

	mu        sync.Mutex // guards the fields below, and arming; never held while blocking
	fixed     bool       // the deadline is one from SetReadDeadline or its kin
	ended     bool       // the deadline is the last one: nothing may arm another
	dismissed bool       // the connection is closed: calls don't take turns any more
	split     bool       // a write has left a TLS record in two
	shut      bool       // CloseWrite was called
	timed     bool       // a deadline was armed
	early     uint16     // time-outs before their time, in a row
	since     uint32     // when the first of them came, in ms
	bound     time.Duration
	armed     time.Duration // the deadline, since the session's start; 0: none
	until     time.Duration // the limit of the call that has its turn; 0: it has none, or never looked
	joins     time.Duration // the limit of a read that began free and takes its turn after all
	queue     *list.List    // who waits for the lock, first come first; nil: nobody ever has
}

// Bits of the word.
const (
	busy    = 1 << iota // a call has its turn
	noting              // calls read the clock first
	free                // no bound: reads don't take turns
	waiting             // the queue isn't empty, or until was set for a call
	over                // the bytes were collected: count elsewhere

	bytesShift = 8
)

// unknown is the limit of a call that hasn't read the clock.
const unknown = time.Duration(-1)

// What stands for a limit that has yet to be looked up.
const (
	beginning = time.Duration(-2) // that of a call which begins now
	joining   = time.Duration(-3) // that of a read which began free
)

// tick is the period of the coarse clock, and how late a deadline is armed on
// other transports, as a part of the bound. The promise is a sixteenth.
const tick = 32

// How many time-outs in earlyTime may come before their time, and call for a retry, or
// just so. See countEarly.
const (
	someEarly = 16
	maxEarly  = 1000
	earlyTime = 100 * time.Millisecond
)

// longest is what a longer timeout counts as, so that sums of the present, a
// timeout and its tick stay clear of an overflow. As a limit it is none.
const longest = 100 * 365 * 24 * time.Hour

// attach gives the direction its connection. The first call arms a deadline.
func (d *direction) attach(s *session, write bool, bound time.Duration) {
	d.conn = s.conn
	d.session = s
	d.write = write
	d.bound = bound
	switch s.conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		d.ticking = true
	}
	switch {
	case bound > 0:
		d.word.Store(noting)
	case !write:
		d.word.Store(free)
		d.loose = true
	}
}

func (d *direction) now() time.Duration {
	return time.Since(d.session.since)
}

// arm sets the deadline of the connection; the mutex is held. An error means
// that the connection is closed, which the next call on it tells as well, or
// that it has no deadlines.
func (d *direction) arm(at time.Duration) error {
	d.armed = at
	var t time.Time
	if at != 0 {
		t = d.session.since.Add(at)
	}
	var err error
	if d.write {
		err = d.conn.SetWriteDeadline(t)
	} else {
		err = d.conn.SetReadDeadline(t)
	}
	d.timed = d.timed || err == nil
	return err
}

// setBound makes the calls from now on take at most bound, or any time where
// it isn't positive. One that is under way keeps the limit it has, or none. A
// deadline fixed by the user stays until it is reset.
func (d *direction) setBound(bound time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if bound == d.bound {
		return
	}
	if !d.fixed {
		d.keep()
	}
	d.bound = bound
	switch {
	case d.fixed:
	case d.bound > 0 && (d.armed == 0 || !d.ticking):
		// Nothing counts yet. Maybe nothing ever will, and the connection's
		// deadlines are the user's own.
		d.word.Or(noting)
		d.word.And(^uint64(free))
	case d.ticking:
		// The tick may be far away, by a bound that no longer counts.
		at := d.now()
		if d.bound <= 0 {
			d.word.And(^uint64(noting))
			switch {
			case d.isHeld():
			case d.armed == 0:
				return // what there may be is the user's own
			default:
				at = 0 // nobody needs it any more
			}
		}
		_ = d.arm(at)
	default:
		// The next call arms its own.
	}
}

// keep gives the calls that are under way the limit of the present bound, unless
// they have one. A call that has its turn and never looked at the clock began at most
// one tick ago. The mutex is held.
func (d *direction) keep() {
	limit := d.now() + longest
	if d.bound > 0 {
		limit = d.now() + d.bound
	} else {
		if d.joins == 0 {
			d.joins = limit
		}
		d.eachTurn(func(t *turn) {
			if t.limit == unknown {
				t.limit = limit
			}
		})
	}
	if d.isHeld() && d.until == 0 {
		d.until = limit
	}
}

// extend gives the calls that are under way a limit that is bound from now. The
// mutex is held.
func (d *direction) extend(bound time.Duration) {
	limit := d.now() + bound
	d.joins = limit
	if d.isHeld() {
		d.until = limit
	}
	d.eachTurn(func(t *turn) {
		t.limit = limit
		select {
		case t.moved <- struct{}{}:
		default:
		}
	})
}

// isHeld tells if a call has its turn. The limit of that one is forgotten when it
// lets go of the lock, which the waiting bit makes it come to handOver for. The
// mutex is held.
func (d *direction) isHeld() bool {
	if d.word.Or(waiting)&busy != 0 { // from here on nobody takes the lock
		return true
	}
	d.until = 0
	if !d.isAwaited() {
		d.word.And(^uint64(waiting))
	}
	return false
}

// reset takes the fixed deadline away and bounds each call again. One that is
// under way counts from now on.
func (d *direction) reset(bound time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return d.session.closedError()
	}
	d.fixed = false
	d.bound = bound
	if d.bound > 0 {
		d.extend(d.bound)
	} else {
		d.extend(longest)
	}
	return d.refused(d.begin())
}

// clear takes the deadline of OnConnect away, and leaves the connection without
// one until the first call. None is under way yet.
func (d *direction) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return
	}
	d.fixed = false
	_ = d.arm(0)
	if d.bound > 0 {
		d.word.Or(noting)
	}
}

// begin starts to bound calls one by one.
func (d *direction) begin() error {
	switch {
	case d.split:
		return d.arm(d.now()) // see isSplit
	case d.bound <= 0 && d.armed == 0:
		return nil
	case d.bound <= 0:
		return d.arm(0)
	case d.ticking:
		d.word.And(^uint64(noting | free))
		return d.arm(d.now() + d.bound/tick)
	}
	d.word.Or(noting)
	d.word.And(^uint64(free))
	switch {
	case d.loose:
		// Reads that began free have to join the queue. Another would move the
		// deadline that they wait for.
		d.loose = false
		return d.arm(d.now())
	case d.write && d.until == 0 && d.isTLS():
		return d.arm(0) // see disarm
	default:
		return d.arm(d.now() + d.bound + d.bound/tick)
	}
}

// fix sets one deadline for all calls, timeout from now, or none where it
// isn't positive.
func (d *direction) fix(timeout time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return d.session.closedError()
	}
	d.fixed = true
	if d.ticking {
		d.word.And(^uint64(noting))
	}
	if timeout <= 0 {
		return d.refused(d.arm(0))
	}
	return d.refused(d.arm(d.now() + min(timeout, longest)))
}

// refused is the error of a method that couldn't arm a deadline. On a connection
// without any none is in force then, and the next call finds out. The mutex is held.
func (d *direction) refused(err error) error {
	switch {
	case err == nil:
	case isCut(err):
		err = d.session.closedError()
	default:
		d.fixed, d.armed = false, 0
		if d.timed {
			err = d.lost(err)
		}
	}
	return err
}

// end sets the last deadline, which nothing can move any more: grace from
// now, or at once, which also cuts short what blocks. The first end counts. It is
// false where the connection has no deadlines.
func (d *direction) end(grace time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return true
	}
	d.fixed = true
	d.ended = true
	err := d.arm(max(d.now()+grace, 1))
	return err == nil || isCut(err)
}

// left is the time until the deadline, which is the last one.
func (d *direction) left() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.armed - d.now()
}

func (d *direction) isEnded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

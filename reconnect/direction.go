package reconnect

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A direction bounds the reads, or the writes, of one connection.
//
// The bound counts from each call, yet neither a clock is read nor a deadline
// armed on every call. On a socket of the kernel (ticking) a deadline comes
// round every 1/32 of the bound. A call that it hits began less than one tick
// ago, so counting its bound from now is never early and hardly late; the call
// then waits on with its limit known, and the deadline armed for that. A busy
// connection pays for a tick now and then, a call that doesn't block pays for
// two atomic additions.
//
// The trick needs two things that only the kernel's sockets promise: a
// deadline that passes breaks nothing, and a call alone in its direction is
// the one that the deadline hits. Other transports, and a call that finds
// another one inside, take the slow way: the clock is read, the limit noted.
type direction struct {
	session *session // set by attach, as the two below
	write   bool     // which half of the connection this is
	ticking bool     // a socket of the kernel

	path   atomic.Uint32 // how a call goes in: pathFree, pathTick or pathNoted
	inside atomic.Int32  // calls that went in by pathTick or pathNoted

	mu      sync.Mutex // guards the fields below, and arming; never held while blocking
	bound   time.Duration
	fixed   bool            // the deadline is one from SetReadDeadline or its kin
	ended   bool            // the deadline is the last one: nothing may arm another
	armed   time.Duration   // the deadline, since the session's start; 0: none
	limits  []time.Duration // when the calls inside by pathNoted must end, since the session's start
	limits0 [1]time.Duration
}

const (
	pathFree  = iota // no bound per call: the deadline, if any, stands as it is
	pathTick         // a tick is armed
	pathNoted        // the limit must be noted first
)

// unknown is the limit of a call that went in without noting one.
const unknown = time.Duration(-1)

// tick is the period of the coarse clock, as a part of the bound. Two of them
// may pass where calls meet, which is within the promised sixteenth.
const tick = 32

// attach gives the direction its connection. The first call arms a deadline.
func (d *direction) attach(s *session, write bool, bound time.Duration) {
	d.session = s
	d.write = write
	switch s.conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		d.ticking = true
	}
	d.limits = d.limits0[:0]
	d.bound = bound
	if bound > 0 {
		d.path.Store(pathNoted)
	}
}

func (d *direction) now() time.Duration {
	return time.Since(d.session.since)
}

// arm sets the deadline of the connection; the mutex is held. An error means
// that the connection is closed, which the next call on it tells as well.
func (d *direction) arm(at time.Duration) error {
	d.armed = at
	var t time.Time
	if at != 0 {
		t = d.session.since.Add(at)
	}
	if d.write {
		return d.session.conn.SetWriteDeadline(t)
	}
	return d.session.conn.SetReadDeadline(t)
}

// setBound makes the calls from now on take at most bound, or any time where
// it isn't positive. A deadline fixed by the user stays until it is reset.
func (d *direction) setBound(bound time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if bound == d.bound {
		return
	}
	d.bound = bound
	if !d.fixed && !d.ended {
		d.begin()
	}
}

// reset takes the fixed deadline away and bounds each call again.
func (d *direction) reset(bound time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return ErrClosed
	}
	d.fixed = false
	d.bound = bound
	return d.begin()
}

// begin starts to bound calls one by one. Calls that are inside already may
// count from now on.
func (d *direction) begin() error {
	switch {
	case d.bound <= 0:
		d.path.Store(pathFree)
		if d.armed == 0 {
			return nil
		}
		return d.arm(0)
	case d.ticking:
		err := d.arm(d.now() + d.bound/tick)
		d.path.Store(pathTick)
		return err
	default:
		d.path.Store(pathNoted)
		return d.arm(d.now() + d.bound + d.bound/tick)
	}
}

// fix sets one deadline for all calls, timeout from now, or none where it
// isn't positive.
func (d *direction) fix(timeout time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return ErrClosed
	}
	d.fixed = true
	d.path.Store(pathFree)
	if timeout <= 0 {
		return d.arm(0)
	}
	return d.arm(max(d.now()+timeout, 1))
}

// end sets the last deadline, which nothing can move any more: grace from
// now, or at once, which also cuts short what blocks. The first end counts.
func (d *direction) end(grace time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return
	}
	d.fixed = true
	d.ended = true
	d.path.Store(pathFree)
	_ = d.arm(max(d.now()+grace, 1))
}

func (d *direction) isEnded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

// note registers a call that begins now and returns its limit, or unknown
// where calls aren't bound.
func (d *direction) note() time.Duration {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fixed || d.bound <= 0 {
		return unknown
	}
	limit := now + d.bound
	d.limits = append(d.limits, limit)
	d.rearm(now, false)
	return limit
}

// leave takes a noted call off the list, and goes back to ticking after the
// last one.
func (d *direction) leave(limit time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.limits, limit); i >= 0 {
		d.limits = slices.Delete(d.limits, i, i+1)
	}
	if len(d.limits) > 0 || !d.ticking || d.fixed || d.bound <= 0 {
		return
	}
	now := d.now()
	if at := now + d.bound/tick; d.armed <= now || d.armed > at {
		_ = d.arm(at)
	}
	d.path.Store(pathTick)
}

// expired judges a time-out that a call ran into: is it the call's own? If
// not, the deadline is armed anew and the call may go on. A call whose start
// isn't known has begun within the last tick and is noted now.
func (d *direction) expired(limit *time.Duration) bool {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.fixed && d.ticking:
		if d.armed != 0 && now >= d.armed {
			return true
		}
		// a tick, overtaken by a deadline that is still to come
		return d.arm(d.armed) != nil
	case d.fixed, d.bound <= 0 && !d.ticking:
		return true
	case d.bound <= 0:
		return d.arm(0) != nil
	case !d.ticking && (*limit == unknown || now < d.armed):
		// by a deadline that isn't ours, or by one from before a reset
		return true
	}
	if *limit == unknown {
		*limit = now + d.bound
		d.limits = append(d.limits, *limit)
	}
	if now >= *limit {
		return true
	}
	d.rearm(now, true)
	return false
}

// rearm sets the deadline to the first limit. Where a call is inside that
// isn't noted, a tick comes first; half of one, since that call may have
// waited for another's already. A deadline that is pending is never put off
// for such a call, or a stream of newcomers would keep it waiting for ever.
func (d *direction) rearm(now time.Duration, passed bool) {
	first := slices.Min(d.limits)
	if !d.ticking {
		slack := d.bound / tick
		if passed || d.armed < first || d.armed > first+slack {
			_ = d.arm(first + slack)
		}
		return
	}
	if int(d.inside.Load()) > len(d.limits) {
		first = min(first, now+d.bound/(2*tick))
		if now < d.armed {
			first = min(first, d.armed)
		}
	}
	if passed || d.armed != first {
		_ = d.arm(max(first, 1))
	}
}

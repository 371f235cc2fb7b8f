package reconnect

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// enter is for a call that has to know from the start when it must end: the
// first one, one that has to wait for its turn, one after a long one, any on an
// unusual transport. It gets the call its turn.
func (d *direction) enter() (limit time.Duration, err error) {
	limit = unknown
	if bound := d.current(); bound > 0 {
		limit = d.now() + bound
	}
	if d.word.Load()&waiting != 0 || !d.take() {
		if limit, err = d.lock(limit); err != nil {
			return unknown, d.timedOut(err)
		}
	}
	return limit, nil
}

// current is the bound of a call that begins now, or 0.
func (d *direction) current() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fixed {
		return 0
	}
	return d.bound
}

// prepare arms the deadline for a call that must end at limit. It fails where
// the connection has no deadlines.
func (d *direction) prepare(limit time.Duration) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.fixed:
	case limit == unknown && d.bound <= 0 && d.armed != 0:
		err = d.arm(0) // of the time when there was a bound
	case limit == unknown:
	case d.ticking:
		err = d.arm(limit)
	case d.armed < limit || d.armed > limit+d.bound/tick:
		err = d.arm(limit + d.bound/tick)
	}
	if err != nil && isCut(err) {
		return nil // the call will tell
	}
	return err
}

// noDeadline says what is wrong with a connection on which none can be set.
func noDeadline(err error) error {
	return fmt.Errorf("reconnect: connection without deadlines: %w", err)
}

// giveUp is the end of a call that has its turn but not its deadline.
func (d *direction) giveUp(err error) error {
	d.letGo(busy, 0)
	return d.failed(0, noDeadline(err))
}

// settle is the end of a call that knew its limit. After a quick one ticks come
// again. After a long one the next is likely to be long as well: it had better
// read the clock first than run into a tick.
func (d *direction) settle(limit time.Duration) {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !d.ticking || d.fixed || d.bound <= 0:
	case now-(limit-d.bound) > d.bound/tick:
		d.word.Or(noting)
	default:
		d.word.And(^uint64(noting))
		_ = d.arm(now + d.bound/tick)
	}
}

// goOn judges what a call has failed with that must end at limit, and began
// when the word was w. If that is a time-out and not the call's own, the deadline
// is armed anew and the call may go on. Nothing between here and a Read's caller
// may take much of the stack: arming takes most of those 2 KiB which an idle
// goroutine has.
func (d *direction) goOn(err error, limit time.Duration, w uint64) (_ time.Duration, again bool) {
	if !isTimeout(err) {
		return limit, false
	}
	alone := w&free != 0 && limit == unknown
	if alone && d.word.Load()&free == 0 {
		if limit, err = d.lock(longest); err != nil {
			return unknown, false
		}
		alone = false
	}
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !alone && d.earliest > 0 {
		limit = max(limit, d.earliest)
	}
	var at time.Duration
	switch {
	case d.fixed && d.ticking:
		// if it isn't over, a tick was overtaken by what the user has set
		if at = d.armed; at != 0 && now >= at {
			return limit, false
		}
	case d.fixed:
		return limit, false
	case limit == unknown && d.bound <= 0:
		if !d.ticking || d.armed == 0 {
			return limit, false // by a deadline that isn't ours
		}
	case limit == unknown && d.ticking:
		limit = now + d.bound
		at = limit
	case limit == unknown || now >= limit:
		return limit, false
	case d.ticking:
		at = limit
	case now < d.armed:
		return limit, false // the transport has its own ideas
	default:
		at = limit + d.bound/tick // that was the limit of an earlier call
	}
	return limit, d.arm(at) == nil
}

// failed is the error that the caller gets of a call that has moved n bytes. One
// that isn't a time-out ends the session.
func (d *direction) failed(n int, err error) error {
	switch {
	case isTimeout(err):
		switch {
		case !d.write && n > 0:
			return nil
		case d.isSplit():
			d.session.cancel(err) // not a time-out of this call's
		}
		return d.timedOut(err)
	case isCut(err) && d.session.Err() != nil:
		// The connection was closed here, while the call waited for another.
		err = d.session.closedError()
	default:
		makeRoom(0) // what follows needs it anyway; once is cheaper than step by step
		d.session.cancel(err)
	}
	return err
}

// timedOut makes a time-out an error of the stop, where that has ordered it.
func (d *direction) timedOut(err error) error {
	if d.isEnded() {
		return d.session.closedError()
	}
	return err
}

// isSplit tells if a write that timed out before this one has left a TLS record
// in two. There is no writing after that: all that TLS gives is the old time-out
// again, at once, and the peer would take what comes for the record's rest.
func (d *direction) isSplit() bool {
	if _, ok := d.session.conn.(*tls.Conn); !ok || !d.write {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.split
	d.split = true
	return was
}

// isTimeout tells if a deadline passed. ETIMEDOUT says "timeout" too, but
// means that the kernel has given up on the connection.
func isTimeout(err error) bool {
	if err == io.EOF {
		return false
	}
	if t, ok := err.(net.Error); ok && !t.Timeout() {
		return false // most errors come to here, without a search that allocates
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var t net.Error
	return errors.As(err, &t) && t.Timeout() && !errors.Is(err, syscall.ETIMEDOUT)
}

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

	"darvaza.org/x/net/lifecycle"
)

// enter is for a call that has to know from the start when it must end: the
// first one, one that has to wait for its turn, one after a long one, any on an
// unusual transport. It gets the call its turn.
func (d *direction) enter() (limit time.Duration, err error) {
	if w := d.word.Load(); w&(busy|waiting) == 0 && d.word.CompareAndSwap(w, w|busy) {
		return d.begun(), nil
	}
	if limit, err = d.lock(beginning); err != nil {
		return unknown, d.timedOut(err)
	}
	return limit, nil
}

func (d *direction) begun() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	limit := d.limit(beginning)
	d.tell(limit)
	return limit
}

// tell notes the limit of the call that has its turn, which settle takes back. The
// mutex is held.
func (d *direction) tell(limit time.Duration) {
	d.until = max(limit, 0)
}

// limit is what a limit of beginning or joining stands for; any other stands for
// itself. It is looked up when the call is one of those that a reset finds under
// way, so that it can't miss one. The mutex is held.
func (d *direction) limit(limit time.Duration) time.Duration {
	switch {
	case limit == joining:
		return d.joins
	case limit != beginning:
		return limit
	case d.fixed || d.bound <= 0:
		return unknown
	default:
		return d.now() + d.bound
	}
}

// prepare arms the deadline for a call that must end at limit. It fails where
// the connection has no deadlines. Nothing between here and a Read's caller may
// take much of the stack: arming takes most of those 2 KiB which an idle
// goroutine has.
func (d *direction) prepare(limit time.Duration) error {
	d.mu.Lock()
	if !d.ticking {
		return d.prepareOther(limit)
	}
	// no defer, since it takes stack; a socket's methods don't panic
	var err error
	if d.until > 0 {
		limit = d.until
	}
	switch {
	case d.fixed:
	case limit != unknown:
		err = d.arm(limit)
	case d.bound <= 0 && d.armed != 0:
		err = d.arm(0) // of the time when there was a bound
	}
	err = d.withoutDeadline(err)
	d.mu.Unlock()
	return err
}

// prepareOther is prepare for an unusual transport. It unlocks the mutex.
func (d *direction) prepareOther(limit time.Duration) error {
	defer d.mu.Unlock()
	if d.until > 0 {
		limit = d.until
	}
	if d.bound <= 0 && limit >= longest {
		limit = unknown // of a reset: none, for which no deadline is needed
	}
	switch {
	case d.fixed:
	case limit == unknown && d.bound <= 0 && d.armed != 0:
		return d.withoutDeadline(d.arm(0))
	case limit == unknown:
	default:
		late := max(min(d.bound, limit-d.now()), 0) / tick // the call's own bound may be shorter
		if d.armed < limit || d.armed > limit+late {
			return d.withoutDeadline(d.arm(limit + late))
		}
	}
	return nil
}

// withoutDeadline says what is wrong with a connection on which none can be set, which
// has just been lost if one could before. The error of one that is closed is dropped: the
// call will tell. The mutex is held.
func (d *direction) withoutDeadline(err error) error {
	switch {
	case err == nil || isCut(err):
		return nil
	case d.timed:
		return err
	default:
		return &deadlineError{err}
	}
}

// A deadlineError is that of a connection without deadlines.
type deadlineError struct{ err error }

func (e *deadlineError) Error() string {
	return "reconnect: connection without deadlines: " + e.err.Error()
}

func (e *deadlineError) Unwrap() error { return e.err }

// giveUp is the end of a call that has its turn but not its deadline.
func (d *direction) giveUp(err error) error {
	d.yield()
	return d.failed(0, err)
}

// settle is the end of a call that knew its limit. After a quick one ticks come
// again. After a long one the next is likely to be long as well: it had better
// read the clock first than run into a tick.
func (d *direction) settle(limit time.Duration) {
	if !d.ticking {
		d.settleOther()
		return
	}
	now := d.now()
	d.mu.Lock()
	d.until = 0
	switch {
	case d.fixed || d.bound <= 0:
	case now-(limit-d.bound) > d.bound/tick:
		d.word.Or(noting)
	default:
		d.word.And(^uint64(noting))
		_ = d.arm(now + d.bound/tick)
	}
	d.mu.Unlock()
}

// settleOther is settle for an unusual transport.
func (d *direction) settleOther() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.until = 0
	d.disarm()
}

// disarm takes the deadline off the writes of TLS. A Read may have to write as
// well, when the peer wants new keys, and must not run into what a Write left. The
// mutex is held.
func (d *direction) disarm() {
	if d.write && !d.fixed && d.armed != 0 && !d.split && d.isTLS() {
		_ = d.arm(0)
	}
}

// goOn judges what a call has failed with that must end at limit, and began
// when the word was w. If that is a time-out and not the call's own the call may
// go on, after another prepare. Otherwise the error is what is to be told.
func (d *direction) goOn(err error, limit time.Duration, w uint64) (_ time.Duration, again bool, _ error) {
	if !d.isTimeout(err) {
		return limit, false, err
	}
	joined := false
	alone := w&free != 0 && limit == unknown
	if alone && d.word.Load()&free == 0 {
		var failed error
		if limit, failed = d.lock(joining); failed != nil {
			return unknown, false, failed
		}
		alone, joined = false, true
	}
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if alone && d.word.Load()&free == 0 {
		return limit, true, err // no longer: the next deadline has it take its turn
	}
	if !alone && d.until > 0 {
		limit = d.until
	}
	switch {
	case d.fixed && (d.ticking || joined):
		// If it isn't over, a tick was overtaken by what the user has set. Or he has
		// set another on the connection itself: to go on without arming would spin.
		again = (d.armed == 0 || now < d.armed) && d.arm(d.armed) == nil
	case d.fixed:
	case limit == unknown && d.bound <= 0:
		again = d.ticking && d.armed != 0 // or the deadline isn't ours
	case limit == unknown && d.ticking:
		limit = now + d.bound
		d.tell(limit)
		again = true
	case limit == unknown || now >= limit:
	default:
		again = d.ticking || joined || now >= d.armed // or the transport has its own ideas
	}
	switch early := d.countEarly(now, limit); {
	case early == 0 || again:
	case early <= someEarly:
		again = true
	case early > maxEarly:
		err = fmt.Errorf("reconnect: connection with endless time-outs: %v: %w", err, syscall.EPIPE)
	}
	return limit, again, err
}

// countEarly counts the time-outs that come before their time on an unusual transport,
// the present one included; 0 means that it doesn't. One may be due to a deadline that was
// moved meanwhile, or was to wake another call: some are worth a retry. It may be due to a
// deadline that the user has set on the connection: that is to be told. When they are many
// at once, the connection has nothing else to give any more, as TLS after one in the
// middle of a handshake: whoever goes on after each would spin. The mutex is held.
func (d *direction) countEarly(now, limit time.Duration) uint16 {
	switch {
	case d.ticking:
		return 0
	case d.armed != 0 && (now >= d.armed || limit != unknown && now >= limit):
		d.early = 0
		return 0
	}
	ms := uint32(now / time.Millisecond) // of which the difference counts
	if d.early == 0 || ms-d.since >= uint32(earlyTime/time.Millisecond) {
		d.early, d.since = 0, ms
	}
	d.early++
	return d.early
}

// failed is the error that the caller gets of a call that has moved n bytes. One
// that isn't a time-out ends the session.
func (d *direction) failed(n int, err error) error {
	switch {
	case d.isTimeout(err):
		switch {
		case !d.write && n > 0:
			return nil
		case d.isSplit(err):
			d.session.cancel(err) // not a time-out of this call's
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("%w (%w)", err, os.ErrDeadlineExceeded) // so that users can tell
		}
		return d.timedOut(err)
	case d.session.closed.Load(), isCut(err) && d.session.Err() != nil:
		// The connection was closed here, maybe while the call waited for another. A
		// transport may have words of its own for that.
		err = d.session.closedError()
	default:
		if d.isHalfClosed() {
			err = errHalfClosed // TLS has an error of its own for that, which nobody could tell
		}
		err = d.lost(err)
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

// lost marks an error as the loss that it is to the connection, where the transport has
// words for that which nobody knows. Those of TLS may be about a certificate.
func (d *direction) lost(err error) error {
	if d.ticking || d.isTLS() || !IsFatal(err) || lifecycle.IsFinal(err) {
		return err
	}
	if _, ok := err.(*deadlineError); ok {
		return err // and so would the next one be
	}
	return &lostError{err}
}

// A lostError is the loss of a connection in words of the transport's own.
type lostError struct{ error }

func (e *lostError) Unwrap() error { return e.error }
func (*lostError) Temporary() bool { return true }

// isSplit tells if a write that timed out before this one has left a TLS record
// in two. There is no writing after that: all that TLS gives is the old time-out
// again, at once, and the peer would take what comes for the record's rest.
func (d *direction) isSplit(err error) bool {
	if d.ticking || !d.write || !d.isTLS() && !isLasting(err) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.split
	d.split = true
	if !d.fixed {
		_ = d.arm(d.now()) // for a Read that has to write as well
	}
	return was
}

// isLasting tells if a time-out says of itself that it won't pass, as one of a write over
// TLS does. Under a wrapper there is nothing else to know that by.
func isLasting(err error) bool {
	var t interface {
		Timeout() bool
		Temporary() bool
	}
	return errors.As(err, &t) && t.Timeout() && !t.Temporary()
}

func (d *direction) isTLS() bool {
	_, ok := d.conn.(*tls.Conn)
	return ok
}

// isTimeout tells if a deadline passed, and not a time that the transport has set
// itself, such as that of QUIC for a silent peer: that closes the connection.
func (d *direction) isTimeout(err error) bool {
	return isTimeout(err) && (d.ticking || !isShut(err) || errors.Is(err, os.ErrDeadlineExceeded))
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

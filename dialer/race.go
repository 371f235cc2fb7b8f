package dialer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// The bounds of the time between two starts. RFC 8305 recommends the first and
// forbids to go below the second, which also bounds how many sockets an
// absurdly long answer to a look-up can open at once.
const (
	maxStagger = 250 * time.Millisecond
	minStagger = 10 * time.Millisecond
)

// race tries the targets in order, several at a time, and returns the first
// connection that comes up, or a nil one with the cause for each target.
// Every attempt it started has ended when it returns.
func (d *eyeballs) race(ctx context.Context, network string, targets []netip.AddrPort) (net.Conn, []error) {
	// The winner cancels the others.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	attempt := d.standard(newSlot())

	type result struct {
		target int
		conn   net.Conn
		err    error
	}
	var (
		results = make(chan result)
		started int
		running int
		winner  net.Conn
		causes  = make([]error, len(targets))
	)

	// Each goroutine sends one result, and the loop below receives them all.
	start := func() {
		target := started
		started++
		running++
		go func() {
			conn, err := attempt.DialContext(ctx, network, targets[target].String())
			results <- result{target, conn, err}
		}()
	}
	// A winner has cancelled ctx, so it ends the starts as the deadline does.
	mayStart := func() bool { return started < len(targets) && end(ctx) == nil }

	gap := stagger(ctx, len(targets))
	next := time.NewTimer(gap)
	defer next.Stop()

	start()
	for running > 0 {
		select {
		case <-next.C:
			if mayStart() {
				start()
				next.Reset(gap)
			}
		case r := <-results:
			running--
			switch {
			case r.err != nil:
				causes[r.target] = r.err
			case winner == nil:
				winner = r.conn
				cancel()
			default:
				// It connected before the news of the winner reached it.
				_ = r.conn.Close()
			}
			if running == 0 && mayStart() {
				start()
				next.Reset(gap)
			}
		}
	}

	if winner == nil {
		// Only the end of ctx keeps a target from its turn. The cause says so
		// in a way that can be matched: a timeout is worth another dial.
		for i := started; i < len(targets); i++ {
			causes[i] = fmt.Errorf("dial %s %s: not tried: %w", network, targets[i], end(ctx))
		}
	}
	return winner, causes
}

// stagger returns the time between two starts: short enough for each of n
// targets to get its turn before the deadline, and as much time as that for
// the last of them.
func stagger(ctx context.Context, n int) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return maxStagger
	}
	return max(min(time.Until(deadline)/time.Duration(n), maxStagger), minStagger)
}

// end returns the error of ctx, also when its deadline has passed unnoticed:
// the timer of a context and that of a socket go off in no particular order.
func end(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= 0 {
		return context.DeadlineExceeded
	}
	return nil
}

package waiter

import (
	"context"
	"errors"
	"time"
)

// Limit returns a waiter that is w for a number of waits in a row and then
// gives up: a wait whose [Attempt] has a Number below attempts is passed on to w,
// any other is refused at once. With attempts zero or less all are refused. A
// context without an [Attempt] counts as the first wait.
//
// The refusal says how many attempts to reconnect there were, and wraps [ErrDoNotReconnect]
// as well as the Err of the [Attempt] where there is one. Match either
// by [errors.Is] or [errors.As]. A nil w waits for [DefaultDelay].
func Limit(w Waiter, attempts int) func(context.Context) error {
	w = or(w)
	return func(ctx context.Context) error {
		ctx = background(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
		a, _ := AttemptFrom(ctx)
		if max(a.Number, 0) >= attempts {
			return gaveUp(a, 0)
		}
		return w(ctx)
	}
}

// LimitElapsed returns a waiter that is w until the [Attempt] in the context has
// been down for d and then gives up, with the same kind of error as [Limit]. A
// wait that is under way at that moment is cut short, so the end comes after d
// and not after d and a wait. A w that ignores its context still ends late, and what
// comes before it in a [Chain] isn't cut: put the limit around the chain.
//
// With d zero or less every wait is refused. A context without an [Attempt]
// counts as one that has just gone down. A nil w waits for [DefaultDelay].
func LimitElapsed(w Waiter, d time.Duration) func(context.Context) error {
	w = or(w)
	return func(ctx context.Context) error {
		ctx = background(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
		a, _ := AttemptFrom(ctx)
		down := max(a.Downtime, 0)
		if down >= d {
			return gaveUp(a, down)
		}
		own, err := waitUntil(ctx, w, time.Now().Add(d-down))
		if !own {
			if err = ctx.Err(); err == nil {
				err = gaveUp(a, d)
			}
		}
		return err
	}
}

// waitUntil runs w under a context that ends at the deadline. It returns the
// answer, and whether that is w's own rather than owed to the deadline.
func waitUntil(ctx context.Context, w Waiter, deadline time.Time) (own bool, err error) {
	bounded, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()

	err = w(&boundedCtx{Context: bounded, outer: ctx})
	if time.Now().Before(deadline) {
		return true, err
	}
	// Late. A refusal with reasons is still worth more than ours.
	own = err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
	return own, err
}

// boundedCtx ends with the bound but doesn't announce it: a rate limiter that
// can tell from the deadline that its turn comes too late fails at once, and the
// time that is left would never be used.
type boundedCtx struct {
	context.Context
	outer context.Context
}

func (c *boundedCtx) Deadline() (time.Time, bool) { return c.outer.Deadline() }

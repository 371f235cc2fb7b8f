package waiter

import (
	"context"
	"time"
)

// DefaultDelay is how long [NewConstant] waits when it isn't told.
const DefaultDelay = 5 * time.Second

// Waiter blocks until it is time for the next attempt. It returns nil to have
// another go, and an error to stop for good. A waiter returns early, with the
// context's error, when the context ends.
//
// The constructors of this package return waiters as plain functions, which are
// assignable to Waiter. All of them may be called concurrently, take a nil
// context for one that never ends, and give the error of a context that has
// already ended precedence over any other answer.
type Waiter func(context.Context) error

// NewConstant returns a waiter that always waits d. Zero means [DefaultDelay],
// and less than zero that there is to be no other attempt: the waiter then
// returns [ErrDoNotReconnect] at once.
func NewConstant(d time.Duration) func(context.Context) error {
	switch {
	case d < 0:
		return NewDoNotReconnect(nil)
	case d == 0:
		d = DefaultDelay
	}
	return func(ctx context.Context) error { return Sleep(ctx, d) }
}

// NewImmediateError returns a waiter that never waits and always answers err. A
// nil err means to try again at once, which makes a busy loop of one where every
// attempt fails quickly; combine it with [Limit] or run it in a [Chain].
func NewImmediateError(err error) func(context.Context) error {
	return func(ctx context.Context) error {
		if e := background(ctx).Err(); e != nil {
			return e
		}
		return err
	}
}

// NewDoNotReconnect returns a waiter that refuses every further attempt with
// err, without waiting. Where err is nil the answer is [ErrDoNotReconnect].
func NewDoNotReconnect(err error) func(context.Context) error {
	if err == nil {
		err = ErrDoNotReconnect
	}
	return NewImmediateError(err)
}

// or gives w, or the waiter that stands in for one that was left out. It waits,
// so that what was forgotten can't become a busy loop.
func or(w Waiter) Waiter {
	if w == nil {
		return NewConstant(DefaultDelay)
	}
	return w
}

package waiter

import (
	"context"
	"time"
)

// Attempt tells a waiter where its loop stands. The owner of the loop puts a
// fresh one into the context of each wait with [WithAttempt].
type Attempt struct {
	// Number counts the waits since the last session that was stable, or since
	// the start; it is 0 for the first.
	Number int
	// Err is what ended the last attempt or session, nil if it ended well.
	Err error
	// Uptime is how long the last session lasted, 0 if there was none.
	Uptime time.Duration
	// Downtime is the time, at the begin of the wait, since the last stable
	// session ended, or since the start.
	Downtime time.Duration
}

// WithAttempt returns a context that is ctx and carries a. An attempt that ctx
// carried before is hidden. A nil ctx counts as [context.Background].
func WithAttempt(ctx context.Context, a Attempt) context.Context {
	return &attemptCtx{Context: background(ctx), attempt: a}
}

// AttemptFrom returns what [WithAttempt] put into ctx or into a context it
// derives from. The answer is false where there is nothing, also for a nil ctx.
func AttemptFrom(ctx context.Context) (Attempt, bool) {
	if ctx == nil {
		return Attempt{}, false
	}
	c, ok := ctx.Value(attemptKey{}).(*attemptCtx)
	if !ok {
		return Attempt{}, false
	}
	return c.attempt, true
}

// attemptKey is the name under which an attemptCtx answers.
type attemptKey struct{}

// attemptCtx is one allocation where context.WithValue would take two: the value
// stands in the context itself.
type attemptCtx struct {
	context.Context
	attempt Attempt
}

func (c *attemptCtx) Value(key any) any {
	if _, ok := key.(attemptKey); ok {
		return c
	}
	return c.Context.Value(key)
}

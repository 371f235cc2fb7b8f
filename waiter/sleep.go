package waiter

import (
	"context"
	"time"
)

// Sleep blocks for d or until ctx ends, whichever comes first, and leaves no
// timer behind. It returns ctx.Err(): nil after a full sleep, and the context's
// error when it was cut short, or when ctx is over by the time d has passed.
// With d zero or less it doesn't block. A nil ctx never ends. A function that
// [OnSleep] put into ctx is told of a sleep that begins.
func Sleep(ctx context.Context, d time.Duration) error {
	ctx = background(ctx)
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}

	if c, ok := ctx.Value(sleepKey{}).(*sleepCtx); ok {
		c.tell(time.Now().Add(d))
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	// Both may be ready and select picks either; the context is the one to obey.
	return ctx.Err()
}

// OnSleep returns a context that is ctx and has [Sleep] call tell at the begin of
// each sleep that blocks, with when it will be over unless its context ends first:
// so the owner of a loop can show when it goes on, whatever the waiter. tell runs
// in the goroutine that sleeps and must not block. A nil tell hides the one that
// ctx has, and a nil ctx counts as [context.Background].
func OnSleep(ctx context.Context, tell func(until time.Time)) context.Context {
	if tell == nil {
		tell = func(time.Time) {}
	}
	return &sleepCtx{Context: background(ctx), tell: tell}
}

// sleepKey is the name under which a sleepCtx answers.
type sleepKey struct{}

type sleepCtx struct {
	context.Context
	tell func(until time.Time)
}

func (c *sleepCtx) Value(key any) any {
	if _, ok := key.(sleepKey); ok {
		return c
	}
	return c.Context.Value(key)
}

// background makes a context of nil, so that a caller who has none can't crash
// a loop.
func background(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

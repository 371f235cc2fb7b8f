package waiter

import (
	"context"
	"time"
)

// Sleep blocks for d or until ctx ends, whichever comes first, and leaves no
// timer behind. It returns ctx.Err(): nil after a full sleep, and the context's
// error when it was cut short, or when ctx is over by the time d has passed.
// With d zero or less it doesn't block. A nil ctx never ends.
func Sleep(ctx context.Context, d time.Duration) error {
	ctx = background(ctx)
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
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

// background makes a context of nil, so that a caller who has none can't crash
// a loop.
func background(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

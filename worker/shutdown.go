package worker

import (
	"context"
	"fmt"
	"time"

	"darvaza.org/core"
)

// Shutdowner is something that ends in an orderly way when told to, and gives up
// when ctx ends; a [net/http.Server] is one.
type Shutdowner interface {
	Shutdown(ctx context.Context) error
}

// NewShutdownFunc returns a [Func] that blocks until its context ends, then calls
// s.Shutdown and returns its error. The context given to Shutdown has the
// values of the one that ended, isn't cancelled, and lasts for timeout; zero or
// less sets no limit.
//
// Without an s, or a context, the function fails at once with an error that
// matches [core.ErrInvalid]. It may be run more than once, also
// concurrently, if s allows it.
func NewShutdownFunc(s Shutdowner, timeout time.Duration) Func {
	return func(ctx context.Context) error {
		switch {
		case s == nil:
			return fmt.Errorf("worker: NewShutdownFunc: no Shutdowner: %w", core.ErrInvalid)
		case ctx == nil:
			return fmt.Errorf("worker: NewShutdownFunc: no context: %w", core.ErrInvalid)
		}

		<-ctx.Done()
		ctx = context.WithoutCancel(ctx)
		if timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		return s.Shutdown(ctx)
	}
}

package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"darvaza.org/core"
)

// Func is the work of one goroutine. It returns when it is done, or soon after
// ctx has ended.
type Func func(ctx context.Context) error

// Catcher judges the error of a [Func]. It returns nil where there is nothing to
// worry about, and otherwise err or an error that replaces it.
type Catcher func(ctx context.Context, err error) error

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

// NewCatchFunc returns a [Catcher] that answers nil for an error that matches any
// of nonErrors by [errors.Is], and leaves other errors as they are. Entries that are
// nil are ignored. It doesn't block and may be used concurrently.
func NewCatchFunc(nonErrors ...error) Catcher {
	// A copy: the caller's slice may change, and is read from many goroutines.
	nonErrors = slices.Clone(nonErrors)
	return func(_ context.Context, err error) error {
		for _, e := range nonErrors {
			if e != nil && errors.Is(err, e) {
				return nil
			}
		}
		return err
	}
}

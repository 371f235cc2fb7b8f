package worker

import (
	"context"
	"errors"
	"slices"
)

// Catcher judges the error of a [Func]. It returns nil where there is nothing to
// worry about, and otherwise err or an error that replaces it.
type Catcher func(ctx context.Context, err error) error

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

package worker

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Run runs funcs concurrently until the first of them ends, with or without an
// error, cancels the context of the others, waits for all, and returns what the
// first returned. Whatever the others return is dropped. Nil functions are
// skipped, and without any function it returns nil at once.
//
// The context of the functions derives from ctx, and its cause is the first
// error, or [context.Canceled] where the first ended well. When ctx ends the
// functions see it, and the result is still that of the first to end. A nil ctx
// counts as [context.Background].
//
// A panic is returned as a [*core.PanicError] and [runtime.Goexit] as
// [ErrGoexit]. Run may be called concurrently and from a function that it runs.
func Run(ctx context.Context, funcs ...Func) error {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var (
		eg    errgroup.Group
		first sync.Once
		res   error
	)
	report := func(err error, _ bool) {
		first.Do(func() {
			res = err
			cancel(err)
		})
	}
	for _, fn := range funcs {
		if fn != nil {
			eg.Go(func() error {
				guard(func() error { return fn(ctx) }, report)
				return nil
			})
		}
	}
	// The result comes by report: to the errgroup an end without an error is none.
	_ = eg.Wait()
	return res
}

package waiter

import "context"

// Chain returns a waiter that runs ws one after the other in the same context.
// The first error ends it and is the answer; it is nil when every waiter agreed.
// Entries that are nil are skipped, and a chain without any link doesn't wait.
//
// The Wait method of a rate limiter shared by a whole process is a good last
// link: every loop waits its own time first and then queues for its turn.
func Chain(ws ...Waiter) func(context.Context) error {
	links := make([]Waiter, 0, len(ws))
	for _, w := range ws {
		if w != nil {
			links = append(links, w)
		}
	}
	return func(ctx context.Context) error {
		ctx = background(ctx)
		for _, w := range links {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := w(ctx); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
}

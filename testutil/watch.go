package testutil

import (
	"context"
	"sync"
)

// watch is a mutex over some state with a way to wait for that state without
// polling. Waiters select on a channel, so a wait counts as blocked in a
// bubble of testing/synctest. The zero value is ready.
type watch struct {
	mu sync.Mutex
	// changed is closed at the next change; nil while nobody waits.
	changed chan struct{}
	waiting int // on changed
}

// notify wakes the waiters to look again. The caller holds mu.
func (w *watch) notify() {
	if w.changed != nil {
		close(w.changed)
		w.changed, w.waiting = nil, 0
	}
}

// await blocks until ready reports true or an error, or until ctx ends, which
// gives the cause of ctx. It calls ready with mu held.
func (w *watch) await(ctx context.Context, ready func() (bool, error)) error {
	for {
		changed, err := w.look(ready)
		if changed == nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return w.giveUp(changed, ready, context.Cause(ctx))
		}
	}
}

// look calls ready once; the channel is nil when there is nothing to wait for.
func (w *watch) look(ready func() (bool, error)) (<-chan struct{}, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if done, err := ready(); done || err != nil {
		return nil, err
	}
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	w.waiting++
	return w.changed, nil
}

// giveUp takes a waiter away, and with the last one the channel: outside of the
// bubble in which it was made nobody may touch it. After a change it looks once more: that
// came before the end of ctx, for all that the waiter knows. Otherwise it gives cause.
func (w *watch) giveUp(changed <-chan struct{}, ready func() (bool, error), cause error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed != changed {
		if done, err := ready(); done || err != nil {
			return err
		}
		return cause
	}
	if w.waiting--; w.waiting == 0 {
		w.changed = nil
	}
	return cause
}

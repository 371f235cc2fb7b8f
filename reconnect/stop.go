package reconnect

import (
	"context"
	"time"

	"darvaza.org/x/net/lifecycle"
)

// Cancel starts the stop and doesn't wait for its end; it may be called from a
// callback. The cause becomes the reason that [Client.Err] gives; nil means
// that the user asked for the stop, as with [Client.Shutdown]. The first
// cause counts.
func (c *Client) Cancel(cause error) {
	makeRoom(0)
	c.group.Cancel(cause)
}

// Shutdown stops the client and waits until it is done: reads end at once, the
// session's context too, OnDisconnect runs, the workers return, and the connection is
// closed, at the latest when the time for writes is over. It gives the reason of the
// stop, as [Client.Wait]. When ctx ends first, it closes the connection under whatever
// still runs, ends the context of OnDisconnect, and returns the error of ctx; the client
// ends when its callbacks and workers do.
//
// It may be called at any time and any number of times, but not from a
// callback or worker, for which it would wait.
func (c *Client) Shutdown(ctx context.Context) error {
	c.Cancel(nil)
	if ctx == nil {
		return c.Wait()
	}
	select {
	case <-c.Done():
		return c.Err()
	default:
	}
	select {
	case <-c.Done():
		return c.Err()
	case <-ctx.Done():
		c.gaveUp.Store(true)
		c.abandon()
		return ctx.Err()
	}
}

// patience is how long a Shutdown that has given up waits for a Close. It is
// meant for a Close that takes its normal course, on a busy machine.
const patience = 100 * time.Millisecond

// abandon closes the connection. A Close may block, as one of TCP does that
// lingers, and whoever has given up must not wait for it; the group does.
func (c *Client) abandon() {
	s := c.turn.Load()
	if s == nil {
		return
	}
	closed := make(chan struct{})
	c.group.Go(func(context.Context) error {
		defer close(closed)
		s.abandon()
		return nil
	})
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-closed:
	case <-c.Done(): // nothing was left to close
	case <-timer.C:
	}
}

// Wait blocks until the client is done and returns the reason of its stop:
// nil when the user asked for it, by [Client.Shutdown], Cancel(nil), the
// cancellation of Config.Context without a cause of its own, or
// [ErrDoNotReconnect] not wrapped in anything. A client that isn't connected is waited for as well.
func (c *Client) Wait() error {
	<-c.Done()
	return c.Err()
}

// Err returns nil while the client runs, and the reason of its stop, as
// [Client.Wait] gives it, once that has begun.
func (c *Client) Err() error {
	if c.Context().Err() == nil {
		return nil
	}
	return lifecycle.Reason(context.Cause(c.Context()))
}

// Done returns a channel, always the same, that is closed when the client is
// done: the loop and every worker have ended, the connection is closed.
func (c *Client) Done() <-chan struct{} {
	return c.group.Done()
}

// onCancel runs once, when the stop has begun, in the goroutine of whoever
// began it.
func (c *Client) onCancel(cause error) {
	if c.phase.CompareAndSwap(phaseNew, phaseNever) {
		c.stopUnconnected()
		return
	}
	// The loop may be held up by a callback, which is not for the caller of
	// Connect to wait for.
	c.answer(nil)
	if s := c.turn.Load(); s != nil {
		s.drop(cause)
	}
}

// stopUnconnected has the last word where there is no loop. A callback of the
// user's gets a goroutine, which the group waits for.
func (c *Client) stopUnconnected() {
	if c.settings.Load().callbacks.OnState == nil {
		c.finish()
		return
	}
	c.group.Go(func(context.Context) error {
		c.finish()
		return nil
	})
}

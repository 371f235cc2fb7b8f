package reconnect

import (
	"context"
	"fmt"
)

// Connect starts the client and waits for the first attempt: the dial, the
// TLS handshake and OnConnect. It returns nil when that has succeeded, and also
// when it has failed in a way worth a retry, since the client goes on trying in
// the background; [Client.WaitConnected] waits for more. An error that stops
// the client is returned, as [Client.Wait] will give it.
//
// A second call returns [ErrRunning]. On a client that is stopping or stopped,
// or stops meanwhile, the error matches [ErrClosed] and the reason:
// [context.Canceled] where the user asked for the stop.
func (c *Client) Connect() error {
	if c.Context().Err() != nil {
		return c.stoppedError()
	}
	if !c.phase.CompareAndSwap(phaseNew, phaseStarting) {
		if c.Context().Err() != nil {
			return c.stoppedError()
		}
		return ErrRunning
	}

	first := make(chan error, 1)
	// Joined by whoever waits for Done. A stop that comes before the loop has
	// begun may end the group, and then nothing is run.
	c.group.Go(func(context.Context) error {
		if c.phase.CompareAndSwap(phaseStarting, phaseLoop) {
			c.loop.first = first
			c.run()
		}
		return nil
	})

	select {
	case err := <-first:
		return c.firstResult(err)
	case <-c.Context().Done():
	}
	// Stopped. The loop may be held up by a callback, which is not for our
	// caller to wait for; but if the stop was its own verdict, that came first.
	select {
	case err := <-first:
		return c.firstResult(err)
	default:
		return c.stoppedError()
	}
}

// firstResult returns the error of the first attempt, not before Err does.
func (c *Client) firstResult(err error) error {
	if err != nil {
		<-c.Context().Done()
	}
	return err
}

// stoppedError is the error of what comes too late.
func (c *Client) stoppedError() error {
	return &stoppedError{cause: context.Cause(c.Context())}
}

// A stoppedError says that the client has stopped, and why.
type stoppedError struct {
	cause error
}

func (e *stoppedError) Error() string {
	return fmt.Sprintf("reconnect: client stopped: %v", e.cause)
}

func (e *stoppedError) Unwrap() []error {
	return []error{ErrClosed, e.cause}
}

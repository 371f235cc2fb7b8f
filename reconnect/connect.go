package reconnect

import (
	"context"
	"fmt"
	"time"
)

// Connect starts the client and waits for the first attempt: the dial, the
// TLS handshake and OnConnect. It returns nil when that has succeeded, and also
// when it has failed in a way worth a retry, since the client goes on trying in
// the background; [Client.WaitConnected] waits for more. An error that stops
// the client is returned. [Client.Wait] gives the same, unless a Cancel came just
// before that stop, and nil for [ErrDoNotReconnect] itself.
//
// A second call returns [ErrRunning]. On a client that is stopping or stopped,
// or stops meanwhile, the error matches [ErrClosed] and the reason:
// [context.Canceled] where the user asked for the stop.
func (c *Client) Connect() error {
	if c.Context().Err() != nil {
		return c.stoppedError()
	}
	// The loop isn't a worker of the group, since it moves from one goroutine to
	// the next. It lets go of the group at its end.
	if !c.group.Hold() {
		return c.stoppedError()
	}
	if !c.phase.CompareAndSwap(phaseNew, phaseLoop) {
		c.group.Release()
		if c.Context().Err() != nil {
			return c.stoppedError()
		}
		return ErrRunning
	}

	first := make(chan error, 1)
	c.first.Store(&first)
	if c.Context().Err() != nil {
		c.answer(nil) // the stop may have come before there was whom to answer
	}
	c.loop.lostAt = time.Now()
	go c.run(c.begin())

	err := <-first
	if err != nil {
		<-c.Context().Done() // so that Err says the same
	}
	return err
}

// answer gives Connect the result of the first attempt. A success that the stop
// has overtaken is none.
func (c *Client) answer(err error) {
	if c.first.Load() == nil {
		return
	}
	if err == nil && c.Context().Err() != nil {
		err = c.stoppedError()
	}
	if first := c.first.Swap(nil); first != nil {
		*first <- err // has room for it
	}
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

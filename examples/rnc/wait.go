package main

import (
	"context"
	"errors"
	"io"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/waiter"
	"darvaza.org/x/net/worker"
)

// backoff is the wait that the options ask for.
func (o *options) backoff() waiter.Waiter {
	var w waiter.Waiter = waiter.Backoff{Initial: o.initial, Max: o.max}.Wait
	if o.retries >= 0 {
		w = waiter.Limit(w, o.retries)
	}
	if o.maxElapsed > 0 {
		w = waiter.LimitElapsed(w, o.maxElapsed)
	}
	return w
}

// wait is the client's WaitReconnect: it waits for the next attempt, or says
// that there is none.
func (n *netcat) wait(backoff waiter.Waiter) reconnect.Waiter {
	return func(ctx context.Context) error {
		attempt, _ := waiter.AttemptFrom(ctx)
		switch {
		case n.opts.once && n.client.Status().Sessions == 0: // an EOF within a handshake is no good end
			return final("not connecting again", attempt.Err)
		case n.opts.once:
			return n.enough(attempt.Err)
		case n.in == nil:
			return backoff(ctx)
		}
		return worker.Run(ctx, worker.Func(backoff), n.watchInput)
	}
}

// enough is the answer of a wait that isn't to be followed by an attempt. All is
// well if the remote has ended the connection in good order.
func (n *netcat) enough(last error) error {
	if last == nil || errors.Is(last, io.EOF) {
		return errDone
	}
	return final("not connecting again", last)
}

// watchInput ends the wait when the input ends without anything left to send.
// Another connection would have nothing to do then, unless there was none so
// far: that one may have something to be received.
func (n *netcat) watchInput(ctx context.Context) error {
	_, err := n.in.next(ctx)
	switch {
	case err == nil, ctx.Err() != nil:
	case !errors.Is(err, io.EOF):
		return final("standard input", err)
	case n.client.Status().Sessions > 0:
		return n.enough(n.ended) // whatever later attempts have failed with
	}
	<-ctx.Done()
	return ctx.Err()
}

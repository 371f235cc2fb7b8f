package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/waiter"
	"darvaza.org/x/net/worker"
)

// lastWords is how long a remote that takes nothing any more may still be heard.
const lastWords = time.Second

// A netcat is one run of the program. Its session and its wait are never at work
// at the same time.
type netcat struct {
	opts   *options
	in     *input // nil with -d
	out    io.Writer
	status *statusLine // nil if nobody wants it
	client *reconnect.Client

	// ended is what the last session has ended with, and refused what a write of it
	// has failed with before.
	ended, refused error

	// allSent is set once the input has ended and nothing of it is left.
	allSent atomic.Bool
}

// session is the life of one connection. It ends with whichever part of it ends
// first; the last one then closes the connection under the others.
//
// They don't run in the session's own context, which ends as soon as a write
// fails: the remote may have said why, and that is still to be received.
func (n *netcat) session(ctx context.Context) error {
	conn := reconnect.ConnFrom(ctx)
	seen := newActivity()
	n.refused = nil
	n.ended = worker.Run(n.client.Context(),
		func(context.Context) error { return n.receive(seen) },
		func(ctx context.Context) error { return n.send(ctx, conn, seen) },
		func(ctx context.Context) error { return n.over(seen.watch(ctx, n.opts.idleTimeout)) },
		func(ctx context.Context) error {
			<-ctx.Done()
			return n.client.Close()
		},
	)
	if n.refused != nil && errors.Is(n.ended, io.EOF) {
		n.ended = n.refused // which is why
	}
	return n.ended
}

// receive copies from the remote to the standard output.
func (n *netcat) receive(seen *activity) error {
	buf := make([]byte, chunkSize)
	for {
		k, err := n.client.Read(buf)
		if k > 0 {
			done := seen.writing()
			_, werr := n.out.Write(buf[:k])
			done()
			if werr != nil {
				return final("standard output", werr)
			}
		}
		if err != nil {
			return n.over(err)
		}
	}
}

// send copies from the standard input to the remote. What a failed write has
// left over goes to the next connection.
func (n *netcat) send(ctx context.Context, conn net.Conn, seen *activity) error {
	if n.in == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	for {
		p, err := n.in.next(ctx)
		if err != nil {
			return n.inputEnded(ctx, conn, err)
		}
		k, err := n.client.Write(p)
		n.in.sent(k)
		if k > 0 {
			seen.touch()
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) { // that one is for watch to judge
			if ctx.Err() == nil { // or it is our own Close that has cut it short
				n.refused = err
			}
			seen.listen(ctx, lastWords)
			return err
		}
	}
}

// inputEnded says so to the remote, and waits for it to hang up unless told to
// quit.
func (n *netcat) inputEnded(ctx context.Context, conn net.Conn, err error) error {
	switch {
	case ctx.Err() != nil:
		return err
	case !errors.Is(err, io.EOF):
		return final("standard input", err)
	}
	n.allSent.Store(true)
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // an error shows in what is received
	}
	if n.opts.quit.never {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := waiter.Sleep(ctx, n.opts.quit.after); err != nil {
		return err
	}
	n.client.Cancel(nil) // a standard output that takes nothing holds up the session, but not a stop
	return errDone
}

// over judges the end of a connection. With nothing left to send it is that of
// the program as well.
func (n *netcat) over(err error) error {
	hungUp := errors.Is(err, io.EOF)
	switch {
	case n.client.Context().Err() != nil:
		return err
	case n.allSent.Load() && hungUp:
		return errDone
	case n.allSent.Load():
		return final("connection lost after the end of the input", err)
	case hungUp:
		return fmt.Errorf("the remote has hung up: %w", io.EOF)
	}
	return err
}

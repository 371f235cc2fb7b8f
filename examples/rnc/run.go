package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"darvaza.org/x/net/reconnect"
)

// stdio is what a program gets from whoever starts it.
type stdio struct {
	in       io.Reader
	out, err io.Writer
	terminal bool // err is one
}

// goodbye is how long a connection may take to end. A standard output that takes
// nothing holds the program up no longer than that.
const goodbye = time.Second

// run is the program. It returns its exit code: when there is nothing left to
// do, when that is hopeless, or soon after ctx has ended. A read of the
// standard input can't be interrupted and may be left behind.
func run(ctx context.Context, args []string, std stdio) int {
	opts, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(std.out, help)
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintf(std.err, "rnc: %v\nTry rnc -h.\n", err)
		return exitFailure
	}

	n := &netcat{opts: opts, out: std.out, status: newStatusLine(opts, std)}
	if !opts.deaf {
		n.in = newInput(std.in)
		defer n.in.close()
	}
	cfg, err := n.config(ctx, std.err)
	if err == nil {
		n.client, err = reconnect.New(cfg)
	}
	if err != nil {
		return conclude(std.err, err, 0)
	}
	if n.status != nil {
		n.client.Go(func(ctx context.Context) error { return n.status.follow(ctx, n.client) })
	}

	_ = n.client.Connect() // Err has the same, and more
	<-n.client.Context().Done()
	late, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_ = n.client.Shutdown(late)

	return conclude(std.err, n.client.Err(), n.unsent())
}

// unsent counts what of the input is left, unless somebody still works on it.
func (n *netcat) unsent() int {
	select {
	case <-n.client.Done():
		if n.in != nil {
			return n.in.unsent()
		}
	default:
	}
	return 0
}

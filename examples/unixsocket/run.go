package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"darvaza.org/x/net/testutil"
)

// run visits the service at both kinds of socket. It ends early, with an error
// that matches context.Canceled, when ctx does.
func run(ctx context.Context, out io.Writer) error {
	_, _ = fmt.Fprintln(out, "a socket in a folder")
	if err := visit(ctx, out, ""); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "an abstract socket")
	if runtime.GOOS != "linux" {
		_, _ = fmt.Fprintln(out, "  is for Linux alone")
		return nil
	}
	return visit(ctx, out, abstractName())
}

// visit lets a client see two lives of a service. An empty address stands for
// a socket in a temporary folder.
func visit(ctx context.Context, out io.Writer, address string) (err error) {
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(out, "  "+format+"\n", args...)
	}

	server, err := testutil.StartServer("unix", address, new(greeter).serve)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	say("service: listens")

	g, err := newGuest(ctx, server.Remote())
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, g.shutdown()) }()
	if err := g.client.Connect(); err != nil {
		return err
	}
	line, err := g.next()
	if err != nil {
		return err
	}
	say("client:  hears %q", line)

	say("service: stops, and its socket is gone")
	before := g.client.Status()
	server.Stop()
	if err := g.failed(before); err != nil {
		return err
	}
	say("client:  can't connect, and goes on trying")

	say("service: listens again")
	if err := server.Restart(); err != nil {
		return err
	}
	if line, err = g.next(); err != nil {
		return err
	}
	say("client:  hears %q", line)
	return nil
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"darvaza.org/x/net/testutil"
)

// run plays the loss and the return of the primary server. It ends early, with
// an error that matches context.Canceled, when ctx does.
func run(ctx context.Context, out io.Writer) (err error) {
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(out, format+"\n", args...)
	}

	primary, err := startServer("the primary")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, primary.Close()) }()
	secondary, err := startServer("the secondary")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, secondary.Close()) }()

	c, err := newCustomer(ctx, primary.Remote(), secondary.Remote())
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, c.shutdown()) }()
	if err := c.client.Connect(); err != nil {
		return err
	}
	return play(c, primary, say)
}

// play is the story, from the first connection to the last.
func play(c *customer, primary *testutil.Server, say func(string, ...any)) error {
	name, err := c.next()
	if err != nil {
		return err
	}
	say("client: served by %s", name)

	say("server: the primary stops")
	primary.Stop()
	if name, err = c.next(); err != nil {
		return err
	}
	say("client: served by %s", name)

	say("server: the primary is back")
	if err := primary.Restart(); err != nil {
		return err
	}
	say("client: still served by %s, which works", name)

	say("client: asked to reconnect")
	if err := c.client.Reconnect(); err != nil {
		return err
	}
	if name, err = c.next(); err != nil {
		return err
	}
	say("client: served by %s", name)

	status := c.client.Status()
	say("client: %d sessions, %d attempts, %d of them failed", status.Sessions, status.Attempts, status.Failures)
	return nil
}

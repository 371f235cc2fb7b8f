package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"darvaza.org/x/net/testutil"
)

// place is the server's name, which is known to the proxy alone.
const place = "greeter.internal:7"

// run plays the loss and the return of the server, and of the proxy. It ends
// early, with an error that matches context.Canceled, when ctx does.
func run(ctx context.Context, out io.Writer) (err error) {
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(out, format+"\n", args...)
	}

	server, err := testutil.StartServer("tcp", "", new(greeter).serve)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	p := &proxyServer{places: map[string]string{place: server.Remote()}}
	proxy, err := testutil.StartServer("tcp", "", p.serve)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, proxy.Close()) }()

	g, err := newGuest(ctx, place, proxy.Remote())
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, g.shutdown()) }()
	say("client: connects to %s through a proxy", place)
	if err := g.client.Connect(); err != nil {
		return err
	}
	line, err := g.next()
	if err != nil {
		return err
	}
	say("client: hears %q", line)
	if err := g.lose("server", server, say); err != nil {
		return err
	}
	return g.lose("proxy", proxy, say)
}

// lose stops something that the client needs, and starts it again when the
// client has noticed.
func (g *guest) lose(name string, s *testutil.Server, say func(string, ...any)) error {
	say("%-7s stops", name+":")
	before := g.client.Status()
	s.Stop()
	if err := g.failed(before); err != nil {
		return err
	}
	say("client: can't connect, and goes on trying")

	say("%-7s is back", name+":")
	if err := s.Restart(); err != nil {
		return err
	}
	line, err := g.next()
	if err != nil {
		return err
	}
	say("client: hears %q", line)
	return nil
}

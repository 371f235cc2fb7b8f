package main

import (
	"context"
	"io"
	"net"

	"darvaza.org/x/net/reconnect"
)

// A link is one connection of a side, with its peer.
type link struct {
	io.ReadWriter          // the client, or the bare connection
	peer          net.Conn // the other end, always bare
	close         func()
}

// timeouts says how a client bounds its reads and writes.
type timeouts string

const (
	off      timeouts = "off"
	defaults timeouts = "default"
)

// apply sets the timeouts of a Config.
func (t timeouts) apply(cfg *reconnect.Config) {
	if t == off {
		cfg.ReadTimeout = -1
		cfg.WriteTimeout = -1
	}
}

// newLink connects a side over loopback. The client's session only waits:
// whoever has the link reads and writes.
func newLink(e *env, s side, network string, t timeouts) (*link, error) {
	l, err := e.listen(network)
	if err != nil {
		return nil, err
	}
	defer l.Close()

	if !s.isClient() {
		conn, err := newDialer().Dial(network, l.Addr().String())
		if err != nil {
			return nil, err
		}
		return accept(l, conn, func() { _ = conn.Close() })
	}
	cfg := &reconnect.Config{
		Remote:    l.Addr().String(),
		OnSession: waitForEnd,
	}
	t.apply(cfg)
	c, err := reconnect.New(cfg)
	if err != nil {
		return nil, err
	}
	stop := func() { _ = c.Shutdown(context.Background()) }
	if err := c.Connect(); err != nil {
		return nil, err
	}
	if err := c.WaitConnected(c.Context()); err != nil {
		stop()
		return nil, err
	}
	return accept(l, c, stop)
}

// accept completes a link. The connection is there already.
func accept(l net.Listener, rw io.ReadWriter, stop func()) (*link, error) {
	peer, err := l.Accept()
	if err != nil {
		stop()
		return nil, err
	}
	return &link{rw, peer, func() {
		stop()
		_ = peer.Close()
	}}, nil
}

// waitForEnd is the session of a client whose reads and writes are done by
// others.
func waitForEnd(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// listen listens on a free port of loopback, or on a new Unix socket.
func (e *env) listen(network string) (net.Listener, error) {
	if network == "unix" {
		return net.Listen(network, e.socket())
	}
	return net.Listen(network, "127.0.0.1:0")
}

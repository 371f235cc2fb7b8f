package main

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"darvaza.org/x/net/reconnect"
)

// A member is something that keeps a connection up: a client, or a goroutine
// that does by hand what a client does.
type member interface {
	start() error // returns when the first dial is through
	// stop returns when all of it has ended, or with the error of ctx
	stop(context.Context) error
	// failures is how many attempts have failed so far
	failures() uint64
}

// newDialer is the standard library's dialer with the settings that a client
// has by default.
func newDialer() *net.Dialer {
	return &net.Dialer{
		Timeout: reconnect.DefaultDialTimeout,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable:   true,
			Idle:     reconnect.DefaultKeepAlive,
			Interval: reconnect.DefaultKeepAlive,
			Count:    3,
		},
	}
}

// A rawMember is a goroutine that dials, reads until that fails, and dials
// again. The mutex guards the connection against a stop that comes meanwhile.
type rawMember struct {
	ctx    context.Context
	cancel context.CancelFunc
	to     net.Addr
	up     func()
	done   chan struct{}
	failed atomic.Uint64

	mu   sync.Mutex
	conn net.Conn
}

func newRawMember(to net.Addr, up func()) *rawMember {
	ctx, cancel := context.WithCancel(context.Background())
	return &rawMember{ctx: ctx, cancel: cancel, to: to, up: up, done: make(chan struct{})}
}

func (m *rawMember) start() error {
	first := make(chan error, 1)
	go m.run(first)
	return <-first
}

func (m *rawMember) run(first chan<- error) {
	defer close(m.done)
	d := newDialer()
	for m.ctx.Err() == nil {
		conn, err := d.DialContext(m.ctx, m.to.Network(), m.to.String())
		if err == nil && !m.keep(conn) {
			return
		}
		if first != nil {
			first <- err
			first = nil
		}
		if err != nil {
			m.failed.Add(1)
			continue
		}
		m.up()
		readUntilEnd(conn)
		_ = conn.Close()
	}
}

// keep publishes the connection, unless nobody wants one any more.
func (m *rawMember) keep(conn net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() != nil {
		_ = conn.Close()
		return false
	}
	m.conn = conn
	return true
}

func (m *rawMember) stop(ctx context.Context) error {
	m.cancel()
	m.mu.Lock()
	conn := m.conn
	m.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
	select {
	case <-m.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *rawMember) failures() uint64 {
	return m.failed.Load()
}

func readUntilEnd(conn net.Conn) {
	buf := make([]byte, messageSize)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}

// A clientMember is a client whose session reads until that fails.
type clientMember struct {
	*reconnect.Client
}

func newClientMember(to net.Addr, t timeouts, up func()) (clientMember, error) {
	var c *reconnect.Client
	cfg := &reconnect.Config{
		Remote:        to.String(),
		WaitReconnect: atOnce,
		OnSession: func(context.Context) error {
			up()
			return readThrough(c)
		},
	}
	t.apply(cfg)
	c, err := reconnect.New(cfg)
	return clientMember{c}, err
}

func atOnce(context.Context) error { return nil }

// readThrough reads until there is an end of it. That a peer says nothing for
// the length of ReadTimeout isn't one.
func readThrough(c *reconnect.Client) error {
	buf := make([]byte, messageSize)
	for {
		if _, err := c.Read(buf); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

func (m clientMember) start() error                   { return m.Connect() }
func (m clientMember) stop(ctx context.Context) error { return m.Shutdown(ctx) }
func (m clientMember) failures() uint64               { return m.Status().Failures }

// newMember makes a member of a side.
func newMember(s side, to net.Addr, t timeouts, up func()) (member, error) {
	if s.isClient() {
		return newClientMember(to, t, up)
	}
	return newRawMember(to, up), nil
}

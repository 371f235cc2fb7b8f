package main

import (
	"context"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"darvaza.org/x/net/reconnect"
)

// An idleKind is what a connection is at that has nothing to do. The raw side
// always has a goroutine that blocks in Read.
type idleKind int

const (
	waiting   idleKind = iota // the session waits for its context
	reading                   // the session blocks in Read
	sessions0                 // there is no session
)

// An idleFleet is many connections that stay up and do nothing.
type idleFleet struct {
	server  *fleetServer
	clients []*reconnect.Client
	conns   []net.Conn
	readers sync.WaitGroup
}

// newIdleFleet connects n of a side, one after the other. Nothing but what an
// idle connection needs is there afterwards.
func newIdleFleet(e *env, s side, kind idleKind, t timeouts, n int) (*idleFleet, error) {
	server, err := newFleetServer(e, "unix")
	if err != nil {
		return nil, err
	}
	f := &idleFleet{server: server}
	if s.isClient() {
		f.clients = make([]*reconnect.Client, 0, n)
	} else {
		f.conns = make([]net.Conn, 0, n)
	}
	for i := range n {
		if s.isClient() {
			err = f.addClient(server.addr(i), kind, t)
		} else {
			err = f.addRaw(server.addr(i), kind, t)
		}
		if err != nil {
			f.close()
			return nil, err
		}
	}
	return f, nil
}

func (f *idleFleet) addClient(to net.Addr, kind idleKind, t timeouts) error {
	cfg := &reconnect.Config{Remote: to.String()}
	t.apply(cfg)
	var c *reconnect.Client
	switch kind {
	case waiting:
		cfg.OnSession = waitForEnd
	case reading:
		cfg.OnSession = func(context.Context) error { return readThrough(c) }
	case sessions0:
	}
	c, err := reconnect.New(cfg)
	if err != nil {
		return err
	}
	f.clients = append(f.clients, c)
	return c.Connect()
}

// addRaw adds a connection that is read by one goroutine, which close joins.
func (f *idleFleet) addRaw(to net.Addr, kind idleKind, t timeouts) error {
	conn, err := newDialer().Dial(to.Network(), to.String())
	if err != nil {
		return err
	}
	f.conns = append(f.conns, conn)
	read := readUntilEnd
	if kind == reading && t == defaults {
		read = readWithTimeout
	}
	f.readers.Go(func() { read(conn) })
	return nil
}

// readWithTimeout does by hand what a client with a ReadTimeout does.
func readWithTimeout(conn net.Conn) {
	buf := make([]byte, messageSize)
	for {
		if conn.SetReadDeadline(time.Now().Add(reconnect.DefaultReadTimeout)) != nil {
			return
		}
		if _, err := conn.Read(buf); err != nil {
			if e, ok := err.(net.Error); !ok || !e.Timeout() {
				return
			}
		}
	}
}

func (f *idleFleet) close() {
	var group sync.WaitGroup
	for _, c := range f.clients {
		group.Go(func() { _ = c.Shutdown(context.Background()) })
	}
	group.Wait()
	closeAll(f.conns)
	f.readers.Wait()
	f.server.close()
}

// settle leaves only what is in use, and the runtime with nothing to do.
func settle() {
	runtime.GC()
	debug.FreeOSMemory() // collects once more
}

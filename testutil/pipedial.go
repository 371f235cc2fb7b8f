package testutil

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
)

// pipeLink is a connection through a pipe. It is open until either end closes.
type pipeLink struct {
	client *FaultConn
	server *pipeEnd
}

// pipeEnd is an end of a pipe that has the addresses of the dial, and tells the
// listener when it is closed.
type pipeEnd struct {
	net.Conn
	local, remote net.Addr
	forget        func() // safe to be called more than once
}

// pipeAddr is an address of a pipe as it was dialled.
type pipeAddr struct{ network, address string }

func (a pipeAddr) Network() string { return a.network }
func (a pipeAddr) String() string  { return a.address }

func (e *pipeEnd) LocalAddr() net.Addr  { return e.local }
func (e *pipeEnd) RemoteAddr() net.Addr { return e.remote }

func (e *pipeEnd) Close() error {
	e.forget()
	return e.Conn.Close()
}

// DialContext connects to the listener, whatever the network and address; these
// only show in the addresses of the connection, which is a [*FaultConn]. It
// blocks while the listener hangs. Errors are what Refuse was given; a
// *net.OpError around that of ctx when it ends first; and that of [ConnRefused]
// once the listener is closed. The end of ctx doesn't touch a connection that was
// made already.
func (p *PipeListener) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	p.state.mu.Lock()
	p.dials++
	p.state.notify()
	p.state.mu.Unlock()

	if err := ctx.Err(); err != nil {
		return nil, dialError(network, address, err)
	}
	var link *pipeLink
	var refused error
	err := p.state.await(ctx, func() (bool, error) {
		switch {
		case p.closed:
			refused = ConnRefused(network, address)
		case p.refuse != nil:
			refused = p.refuse
		case p.hang:
			return false, nil
		default:
			link = p.connect(network, address)
		}
		return true, nil
	})
	switch {
	case err != nil:
		return nil, dialError(network, address, ctx.Err())
	case refused != nil:
		return nil, refused
	case p.handle != nil:
		go p.serve(link) // connect counted it, Close waits
	}
	return link.client, nil
}

// connect makes a connection and takes it in. The caller holds state and starts
// the handler.
func (p *PipeListener) connect(network, address string) *pipeLink {
	near, far := net.Pipe()
	here, there := pipeAddr{network, "pipe"}, pipeAddr{network, address}

	link := new(pipeLink)
	forget := sync.OnceFunc(func() { p.forget(link) })
	link.client = NewFaultConn(&pipeEnd{Conn: near, local: here, remote: there, forget: forget})
	link.server = &pipeEnd{Conn: far, local: there, remote: here, forget: forget}

	p.links = append(p.links, link)
	if p.handle != nil {
		p.handlers++
	}
	p.state.notify()
	return link
}

func (p *PipeListener) forget(link *pipeLink) {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	p.links = slices.DeleteFunc(p.links, func(l *pipeLink) bool { return l == link })
	p.state.notify()
}

// Dials gives the number of dials begun so far, failed ones included.
func (p *PipeListener) Dials() int {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	return p.dials
}

// Open gives the number of connections that neither side has begun to close. One
// whose Close is held up, by [FaultConn.HoldClose], is open until that is let go.
func (p *PipeListener) Open() int {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	return len(p.links)
}

// WaitDials blocks until at least n dials were begun, hanging and failed ones
// included. When ctx ends first the error matches its cause.
func (p *PipeListener) WaitDials(ctx context.Context, n int) error {
	var have int
	err := p.state.await(ctx, func() (bool, error) {
		have = p.dials
		return have >= n, nil
	})
	if err != nil {
		return fmt.Errorf("testutil: waiting for %d dials, have %d: %w", n, have, err)
	}
	return nil
}

// WaitOpen blocks until exactly n connections are open. It may miss a number
// that lasts but a moment. When ctx ends first the error matches its cause.
func (p *PipeListener) WaitOpen(ctx context.Context, n int) error {
	var have int
	err := p.state.await(ctx, func() (bool, error) {
		have = len(p.links)
		return have == n, nil
	})
	if err != nil {
		return fmt.Errorf("testutil: waiting for %d open connections, have %d: %w", n, have, err)
	}
	return nil
}

// ConnRefused makes the error of a dial that nobody listens to, as the dialers
// of net return it: a *net.OpError that matches [syscall.ECONNREFUSED].
func ConnRefused(network, address string) error {
	return dialError(network, address, os.NewSyscallError("connect", syscall.ECONNREFUSED))
}

func dialError(network, address string, err error) error {
	return &net.OpError{Op: "dial", Net: network, Addr: pipeAddr{network, address}, Err: err}
}

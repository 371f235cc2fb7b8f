package testutil

import (
	"context"
	"net"

	"darvaza.org/core"
)

// PipeListener is a server in memory: a dial gives one end of a [net.Pipe] and
// its handler gets the other. All methods may be called concurrently, also by a
// handler, save that Close waits for the handlers and so never returns to one.
// Everything that blocks on it counts as blocked in a bubble of testing/synctest, save a
// Write while another one blocks at the same end: that waits for a mutex of [net.Pipe],
// and the bubble's time stands still. A connection belongs to the bubble that it was
// dialled in, and has to be closed there; the listener itself may be used in one bubble
// after another, and outside, where Close has to be called then.
type PipeListener struct {
	handle func(net.Conn)

	state watch // guards the fields below

	links    []*pipeLink // the open ones, in the order they were dialled
	handlers int         // that run, or are about to. A sync.WaitGroup would belong to a bubble
	dials    int
	refuse   error
	hang     bool
	closed   bool
	panicked error
}

// Pipe makes a listener that calls handle on a goroutine of its own for each
// connection, which is closed when it returns. It must return when its
// connection is closed. A panic ends only its connection, and Close returns the
// first one. With a nil handle connections are held open, and as a pipe has no
// buffer, writes to them block.
func Pipe(handle func(net.Conn)) *PipeListener {
	return &PipeListener{handle: handle}
}

// String says what this is, for a log: the fields change while others use it.
func (p *PipeListener) String() string { return "testutil.PipeListener" }

// GoString is [PipeListener.String].
func (p *PipeListener) GoString() string { return p.String() }

// Refuse makes dials fail with err, those that hang included; nil lets them
// through again. [ConnRefused] makes an error like that of a real dialer.
func (p *PipeListener) Refuse(err error) {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	p.refuse = err
	p.state.notify()
}

// Hang makes dials block until their context ends, Refuse makes them fail, or
// Hang(false) lets them through.
func (p *PipeListener) Hang(hang bool) {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	p.hang = hang
	p.state.notify()
}

// HangUp closes every open connection from the server's side and goes on
// accepting. Peers read [io.EOF] and write [io.ErrClosedPipe]. It doesn't wait
// for the handlers.
func (p *PipeListener) HangUp() {
	p.state.mu.Lock()
	links := append([]*pipeLink(nil), p.links...)
	p.state.mu.Unlock()
	for _, l := range links {
		_ = l.server.Close()
	}
}

// Close refuses all further dials, fails those that hang, closes every
// connection and returns when all handlers have. It returns the first panic of
// a handler. More calls return the same. A handler must not call it.
func (p *PipeListener) Close() error {
	p.state.mu.Lock()
	p.closed = true
	p.state.notify()
	p.state.mu.Unlock()

	p.HangUp()
	var panicked error
	_ = p.state.await(context.Background(), func() (bool, error) {
		panicked = p.panicked
		return p.handlers == 0, nil
	})
	return panicked
}

// serve runs the handler for one connection, also if it leaves by
// runtime.Goexit.
func (p *PipeListener) serve(l *pipeLink) {
	defer p.served()
	defer l.server.Close()
	defer func() {
		if rvr := recover(); rvr != nil {
			p.notePanic(core.NewPanicError(1, rvr))
		}
	}()
	p.handle(l.server)
}

func (p *PipeListener) served() {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	if p.handlers--; p.handlers == 0 && p.closed {
		p.state.notify() // Close alone waits for that; others may do so in a bubble
	}
}

func (p *PipeListener) notePanic(err *core.PanicError) {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	if p.panicked == nil {
		p.panicked = core.Wrap(err, "testutil: handler of a pipe panicked")
	}
}

// Conns gives the client's ends of the open connections, in the order they were
// dialled: the same values the dials returned, to make them fail.
func (p *PipeListener) Conns() []*FaultConn {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	conns := make([]*FaultConn, 0, len(p.links))
	for _, l := range p.links {
		conns = append(conns, l.client)
	}
	return conns
}

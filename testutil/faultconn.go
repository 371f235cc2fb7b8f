package testutil

import (
	"net"
	"sync"
	"time"
)

// FaultConn is a connection that fails when told to and counts what was asked
// of it. It comes from [NewFaultConn] or [PipeListener.DialContext], and is safe
// for the concurrent use the connection in it is safe for.
type FaultConn struct {
	net.Conn

	mu     sync.Mutex // guards the fields below
	read   faultSide
	write  faultSide
	closes int
	hold   <-chan struct{} // what Close waits for, nil for nothing
}

// faultSide is the state of one direction.
type faultSide struct {
	err      error     // what calls fail with, nil for none
	faults   int       // how many there were that cut calls short
	last     error     // the last of them
	deadline time.Time // as the user last set it
	set      int       // how many times that was

	calls int           // under way
	cut   chan struct{} // closed when the last of those has ended that a fault cuts short, nil for none
}

// past is a deadline that cuts short whatever blocks. It is before the time at
// which bubbles of testing/synctest begin, too.
var past = time.Unix(1, 0)

// NewFaultConn wraps a connection. Nothing fails until told to. The wrapped one has the
// methods of a [net.Conn] alone, so no CloseWrite.
func NewFaultConn(conn net.Conn) *FaultConn { return &FaultConn{Conn: conn} }

// String says what this is, for a log: the fields change while others use it.
func (c *FaultConn) String() string { return "testutil.FaultConn" }

// GoString is [FaultConn.String].
func (c *FaultConn) GoString() string { return c.String() }

// FailRead makes a Read that is blocked, if the connection has deadlines, and every one
// from now on, return err. A nil err ends that: the deadline last set here holds again.
func (c *FaultConn) FailRead(err error) { c.fail(&c.read, c.Conn.SetReadDeadline, err) }

// FailWrite makes a Write that is blocked, if the connection has deadlines, and every one
// from now on, return err. A nil err ends that: the deadline last set here holds again.
func (c *FaultConn) FailWrite(err error) { c.fail(&c.write, c.Conn.SetWriteDeadline, err) }

// Read reads from the connection, or fails as FailRead says.
func (c *FaultConn) Read(p []byte) (int, error) {
	return c.call(&c.read, c.Conn.SetReadDeadline, c.Conn.Read, p)
}

// Write writes to the connection, or fails as FailWrite says.
func (c *FaultConn) Write(p []byte) (int, error) {
	return c.call(&c.write, c.Conn.SetWriteDeadline, c.Conn.Write, p)
}

// SetReadDeadline sets the deadline, and counts.
func (c *FaultConn) SetReadDeadline(t time.Time) error {
	return c.arm(&c.read, c.Conn.SetReadDeadline, t)
}

// SetWriteDeadline sets the deadline, and counts.
func (c *FaultConn) SetWriteDeadline(t time.Time) error {
	return c.arm(&c.write, c.Conn.SetWriteDeadline, t)
}

// SetDeadline sets both deadlines, and counts for both.
func (c *FaultConn) SetDeadline(t time.Time) error {
	err := c.SetReadDeadline(t)
	if werr := c.SetWriteDeadline(t); err == nil {
		err = werr
	}
	return err
}

// HoldClose makes every Close from now on block until the channel is closed,
// as one may that has data left to send. A nil channel ends that for those to come.
func (c *FaultConn) HoldClose(until <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold = until
}

// Close counts, and closes the connection when HoldClose lets it.
func (c *FaultConn) Close() error {
	c.mu.Lock()
	c.closes++
	hold := c.hold
	c.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return c.Conn.Close()
}

// ReadDeadlines gives the number of times a read deadline was set.
func (c *FaultConn) ReadDeadlines() int { return c.side(&c.read).set }

// WriteDeadlines gives the number of times a write deadline was set.
func (c *FaultConn) WriteDeadlines() int { return c.side(&c.write).set }

// ReadDeadline gives the read deadline last set, zero for none.
func (c *FaultConn) ReadDeadline() time.Time { return c.side(&c.read).deadline }

// WriteDeadline gives the write deadline last set, zero for none.
func (c *FaultConn) WriteDeadline() time.Time { return c.side(&c.write).deadline }

// Closes gives the number of times Close was called.
func (c *FaultConn) Closes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closes
}

func (c *FaultConn) side(s *faultSide) faultSide {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *s
}

// call is a Read or Write. One that a fault cuts short returns the fault, also where
// that is over already.
func (c *FaultConn) call(s *faultSide, set func(time.Time) error, do func([]byte) (int, error), p []byte) (int, error) {
	before, err := c.enter(s)
	if err != nil {
		return 0, err
	}
	defer c.leave(s, set)
	n, err := do(p)
	switch now := c.side(s); {
	case err == nil:
	case now.err != nil:
		err = now.err
	case now.faults > before:
		err = now.last
	}
	return n, err
}

// enter begins a call, unless there is a fault, and gives the number of faults so
// far. After a fault it waits for the calls that were cut short.
func (c *FaultConn) enter(s *faultSide) (faults int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s.err == nil && s.cut != nil {
		cut := s.cut
		c.mu.Unlock()
		<-cut
		c.mu.Lock()
	}
	if s.err != nil {
		return 0, s.err
	}
	s.calls++
	return s.faults, nil
}

// leave ends a call. The last one that a fault cuts short puts the deadline right:
// before that it could make the others wait again.
func (c *FaultConn) leave(s *faultSide, set func(time.Time) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.calls--
	if s.cut == nil || s.calls > 0 {
		return
	}
	close(s.cut)
	s.cut = nil
	if s.err == nil {
		_ = set(s.deadline)
	}
}

// fail, arm and leave set the deadline of the connection while they hold mu, so that
// it ends up as the last of them left it; setting one doesn't block.
func (c *FaultConn) fail(s *faultSide, set func(time.Time) error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.err = err
	if err != nil {
		if set(past) != nil {
			return // nothing is cut short
		}
		s.faults++
		s.last = err
		if s.calls > 0 && s.cut == nil {
			s.cut = make(chan struct{})
		}
		return
	}
	if s.cut == nil {
		_ = set(s.deadline)
	}
}

func (c *FaultConn) arm(s *faultSide, set func(time.Time) error, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.deadline = t
	s.set++
	if s.err != nil || s.cut != nil {
		return nil // it takes effect once the fault is over
	}
	return set(t)
}

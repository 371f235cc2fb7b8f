package lifecycle

import (
	"context"
	"net"
	"syscall"
)

// Callbacks are the places where users hook into the life of a connection. Each
// may be nil. The methods call them, through [Call]: a panic comes back as an
// error, and runtime.Goexit passes through. A client runs one callback at a time,
// OnError for workers aside, and holds no lock meanwhile.
//
// Fields may be written only while no method runs; apart from that Callbacks
// may be copied and used concurrently.
type Callbacks struct {
	// OnSocket may set options on a socket before it connects, once for each
	// address that is tried. An error fails the attempt at that address. The
	// RawConn must not be used after the return.
	OnSocket func(ctx context.Context, conn syscall.RawConn) error

	// OnConnect runs when a connection is up, for a handshake or a first look. It
	// gets the dialled connection itself. An error means that the connection is
	// closed, and that neither OnSession nor OnDisconnect sees it.
	OnConnect func(ctx context.Context, conn net.Conn) error

	// OnSession owns the connection, which [ConnFrom] gives, until it returns.
	// It must return soon after ctx has ended; context.Cause says why it did.
	// Returning nil asks for the next connection. An error is judged, and one
	// that IsFatal doesn't know stops the client.
	OnSession func(ctx context.Context) error

	// OnDisconnect runs once for each connection whose OnConnect succeeded,
	// while the connection is still open: time for a goodbye. Its ctx isn't
	// cancelled by the stop, but bounded in time.
	OnDisconnect func(ctx context.Context, conn net.Conn) error

	// OnError decides on an error, as described at [ErrorFunc] and [Judge]. It
	// runs on the goroutine that met the error.
	OnError func(ctx context.Context, conn net.Conn, err error) error

	// OnState sees every change of state, in order.
	OnState func(from, to State)
}

// Socket runs OnSocket, and returns its error.
func (c *Callbacks) Socket(ctx context.Context, conn syscall.RawConn) error {
	if c.OnSocket == nil {
		return nil
	}
	return Call(func() error { return c.OnSocket(ctx, conn) })
}

// Connect runs OnConnect, and returns its error.
func (c *Callbacks) Connect(ctx context.Context, conn net.Conn) error {
	if c.OnConnect == nil {
		return nil
	}
	return Call(func() error { return c.OnConnect(ctx, conn) })
}

// Session runs OnSession, and returns its error. Without one the session lasts
// as long as ctx does: Session blocks until ctx ends, and returns its cause.
func (c *Callbacks) Session(ctx context.Context) error {
	return Call(func() error {
		if c.OnSession != nil {
			return c.OnSession(ctx)
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})
}

// Disconnect runs OnDisconnect, and returns its error.
func (c *Callbacks) Disconnect(ctx context.Context, conn net.Conn) error {
	if c.OnDisconnect == nil {
		return nil
	}
	return Call(func() error { return c.OnDisconnect(ctx, conn) })
}

// State runs OnState. The error is nil unless OnState panics.
func (c *Callbacks) State(from, to State) error {
	if c.OnState == nil {
		return nil
	}
	return Call(func() error {
		c.OnState(from, to)
		return nil
	})
}

// Judge is the function [Judge] with OnError.
func (c *Callbacks) Judge(ctx context.Context, conn net.Conn, err error) Verdict {
	return Judge(ctx, conn, err, c.OnError)
}

// JudgeStop is the function [JudgeStop] with OnError.
func (c *Callbacks) JudgeStop(ctx context.Context, conn net.Conn, err error) Verdict {
	return JudgeStop(ctx, conn, err, c.OnError)
}

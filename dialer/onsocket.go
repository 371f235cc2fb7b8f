package dialer

import (
	"context"
	"errors"
	"syscall"

	"darvaza.org/core"
)

// errGoexit is what an OnSocket that ended its own goroutine leaves behind.
// It is worth another attempt: the function gave no verdict on the address.
var errGoexit = core.NewTemporaryError(errors.New("dialer: OnSocket ended by runtime.Goexit"))

// onSocket and controlContext are the shapes of the callback and of the
// standard dialer's hook.
type (
	onSocket       = func(context.Context, syscall.RawConn) error
	controlContext = func(context.Context, string, string, syscall.RawConn) error
)

// A slot lets one call of OnSocket run at a time. A nil slot bounds nothing.
type slot chan struct{}

func newSlot() slot { return make(slot, 1) }

// control makes the hook of the standard dialer that runs fn, one call at a
// time if there is a slot.
func control(fn onSocket, s slot) controlContext {
	return func(ctx context.Context, _, _ string, conn syscall.RawConn) error {
		if s != nil {
			select {
			case s <- struct{}{}:
				defer func() { <-s }()
			case <-ctx.Done():
				return ctx.Err()
			}

			// The race may have been decided while this attempt waited.
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return runOnSocket(ctx, fn, conn)
	}
}

// runOnSocket calls fn and waits for it.
//
// The standard library leaks the socket when its hook is unwound by a panic
// or by runtime.Goexit. A panic could be recovered on this goroutine, but
// nothing stops a Goexit, hence a goroutine for the call; it ends before
// runOnSocket returns.
func runOnSocket(ctx context.Context, fn onSocket, conn syscall.RawConn) error {
	done := make(chan error, 1)

	go func() {
		err := errGoexit
		defer func() {
			if rvr := recover(); rvr != nil {
				err = asPanicError(rvr)
			}
			done <- err
		}()

		err = fn(ctx, conn)
	}()

	return <-done
}

// asPanicError turns a recovered value into an error that keeps the stack. It
// must be called by the function that recovered.
func asPanicError(rvr any) error {
	if err, ok := rvr.(*core.PanicError); ok && err != nil {
		// It brings the stack of its own making.
		return err
	}
	// Skip the frames of asPanicError and of its caller.
	return core.NewPanicError(2, rvr)
}

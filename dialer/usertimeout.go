package dialer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"syscall"
	"time"

	"darvaza.org/core"
)

// UserTimeout returns an OnSocket that bounds how long data written to a TCP
// connection may stay unacknowledged before the system ends the connection,
// so that a peer that vanishes in the middle of a write is noticed in time.
// On Linux a value so set also replaces the number of keep-alive probes.
//
// The system counts in milliseconds; d is rounded up to the next one. A d of
// zero or less is refused, when the function runs, by an error that matches
// [core.ErrInvalid]. On Linux other sockets than TCP are left alone. Other
// systems lack the option: there the function returns an error that matches
// [errors.ErrUnsupported], whatever the socket.
func UserTimeout(d time.Duration) func(context.Context, syscall.RawConn) error {
	return func(_ context.Context, conn syscall.RawConn) error {
		switch {
		case d <= 0:
			return core.QuietWrap(core.ErrInvalid, "dialer: UserTimeout: %s is not a positive duration", d)
		case conn == nil:
			return core.QuietWrap(core.ErrInvalid, "dialer: UserTimeout: there is no socket")
		}

		var optErr error
		err := conn.Control(func(fd uintptr) {
			optErr = setUserTimeout(fd, milliseconds(d))
		})
		if err := errors.Join(err, optErr); err != nil {
			return fmt.Errorf("dialer: UserTimeout: %w", err)
		}
		return nil
	}
}

// milliseconds rounds up, and down to what the option can hold.
func milliseconds(d time.Duration) int {
	ms := d.Milliseconds()
	if d%time.Millisecond != 0 {
		ms++
	}
	return int(min(ms, math.MaxInt32))
}

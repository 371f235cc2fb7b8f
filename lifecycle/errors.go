package lifecycle

import (
	"context"
	"io/fs"
	"net"
	"syscall"
)

var (
	// ErrClosed says that something was used after its end: a client that has
	// stopped, a session that is over. Both errors.Is(ErrClosed, net.ErrClosed)
	// and errors.Is(ErrClosed, fs.ErrClosed) hold. [IsFatal] takes it for a lost
	// connection, which is worth another try.
	ErrClosed error = &sentinel{
		text:  "already closed",
		alike: []error{net.ErrClosed, fs.ErrClosed},
	}

	// ErrNotConnected says that there is no connection right now. It wraps
	// [ErrClosed], and so matches everything that one does.
	ErrNotConnected error = &sentinel{
		text:  "not connected",
		wraps: ErrClosed,
	}

	// ErrRunning answers an attempt to start what was started before.
	// errors.Is(ErrRunning, syscall.EBUSY) holds.
	ErrRunning error = &sentinel{
		text:  "already running",
		alike: []error{syscall.EBUSY},
	}

	// ErrDoNotReconnect asks for the end of all attempts. On its own it is a stop
	// that the user wanted, and [Reason] turns it into nil; wrapped, it marks
	// another error as final, whatever that error would mean otherwise.
	//
	// Every error type with the method DoNotReconnect() bool, when that gives
	// true, counts as this one. So packages that don't import each other can
	// each have such an error. errors.Is finds this one in theirs if that has an
	// Is for it, as that of package waiter does.
	ErrDoNotReconnect error = doNotReconnect{}

	// ErrAbnormalConnect is the failure of a dialer that returned neither a
	// connection nor an error. errors.Is(ErrAbnormalConnect,
	// syscall.ECONNABORTED) holds, and it is worth another try.
	ErrAbnormalConnect error = &sentinel{
		text:  "abnormal connect: neither a connection nor an error",
		alike: []error{syscall.ECONNABORTED},
	}

	// ErrGoexit is the error to record when a deferred function finds that a
	// callback called [runtime.Goexit], which unwinds the goroutine without a
	// panic and without a return value. [IsFatal] is true for it.
	ErrGoexit error = &sentinel{text: "callback called runtime.Goexit"}
)

// IsClosed reports whether err is, or wraps, [ErrClosed]; [ErrNotConnected] does.
// It is false for nil.
func IsClosed(err error) bool {
	return anyIs(err, ErrClosed)
}

// IsNotConnected reports whether err is, or wraps, [ErrNotConnected].
// It is false for nil.
func IsNotConnected(err error) bool {
	return anyIs(err, ErrNotConnected)
}

// IsNonError reports whether err stands for a stop that the user asked for
// rather than for a failure: nil, [context.Canceled] or [ErrDoNotReconnect],
// wrapped or not. An error that holds a panic is always a failure.
func IsNonError(err error) bool {
	switch {
	case err == nil:
		return true
	case holds(err, isPanic):
		return false
	default:
		return anyNode(err, isStop) || anyIs(err, context.Canceled)
	}
}

// Reason turns the cause of a stop into what the user is to see of it. It is nil
// when cause is nil, when it is [context.Canceled] itself, and when it is an
// error like [ErrDoNotReconnect] that wraps nothing: those ends were asked for.
// Every other cause comes back as it is; a wrapped context.Canceled or
// ErrDoNotReconnect too, because the wrapping says something.
func Reason(cause error) error {
	if cause == nil || cause == context.Canceled || isBareStop(cause) {
		return nil
	}
	return cause
}

// sentinel is an error with a fixed text and a list of errors it counts as.
type sentinel struct {
	text  string
	wraps error
	alike []error
}

func (e *sentinel) Error() string { return e.text }

func (e *sentinel) Unwrap() error { return e.wraps }

// Is makes errors.Is match the errors this one counts as.
func (e *sentinel) Is(target error) bool {
	for _, other := range e.alike {
		if other == target {
			return true
		}
	}
	return false
}

// stopper is how errors of unrelated packages recognise each other as the wish
// to end all attempts.
type stopper interface {
	DoNotReconnect() bool
}

type doNotReconnect struct{}

func (doNotReconnect) Error() string { return "do not reconnect" }

// DoNotReconnect tells errors of the same kind in other packages that this is one.
func (doNotReconnect) DoNotReconnect() bool { return true }

// Is matches every target of the same kind. The target isn't unwrapped.
func (doNotReconnect) Is(target error) bool {
	s, ok := target.(stopper)
	return ok && s.DoNotReconnect()
}

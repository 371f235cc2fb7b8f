package waiter

import (
	"fmt"
	"strconv"
	"time"
)

// ErrDoNotReconnect is the answer of a waiter that wants no further attempt.
// [NewConstant] and [NewDoNotReconnect] return it bare, [Limit] and
// [LimitElapsed] wrap it together with the error that was last seen.
//
// Match it with [errors.Is]. It matches any target with a method
// DoNotReconnect() bool that returns true, so that packages which don't know each
// other can mean the same thing; for such an error to match this one it needs
// an Is like it.
var ErrDoNotReconnect error = doNotReconnectError{}

// doNotReconnectError is a type rather than a text because what it stands for is
// recognised by its method, across modules.
type doNotReconnectError struct{}

func (doNotReconnectError) Error() string        { return "do not reconnect" }
func (doNotReconnectError) DoNotReconnect() bool { return true }

// Is looks at target alone. Unwrapping it as well would make the bare sentinel
// equal to every error that merely carries one.
func (doNotReconnectError) Is(target error) bool {
	t, ok := target.(interface{ DoNotReconnect() bool })
	return ok && t.DoNotReconnect()
}

// gaveUpError is how the limits end: it says what they had seen by then.
type gaveUpError struct {
	attempts int
	elapsed  time.Duration // 0 when time wasn't what ran out
	last     error         // what ended the last attempt, may be nil
}

// gaveUp tells of the attempts that a has counted, and of the time they took
// where that was the limit.
func gaveUp(a Attempt, elapsed time.Duration) error {
	return &gaveUpError{attempts: max(a.Number, 0), elapsed: elapsed, last: a.Err}
}

func (e *gaveUpError) Error() string {
	s := "waiter: gave up reconnecting after " + strconv.Itoa(e.attempts) + " attempt"
	if e.attempts != 1 {
		s += "s"
	}
	if e.elapsed > 0 {
		s += " in " + e.elapsed.String()
	}
	if e.last != nil {
		s += fmt.Sprintf(": %v", e.last)
	}
	return s
}

// Unwrap gives the verdict and, where there is one, its occasion.
func (e *gaveUpError) Unwrap() []error {
	if e.last == nil {
		return []error{ErrDoNotReconnect}
	}
	return []error{ErrDoNotReconnect, e.last}
}

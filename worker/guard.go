package worker

import (
	"errors"

	"darvaza.org/core"
)

// ErrGoexit is the error of a function that called [runtime.Goexit] instead of
// returning, as the FailNow of a test does.
var ErrGoexit = errors.New("worker: function ended by runtime.Goexit")

// guard calls fn and hands its error to report, exactly once, however fn ends. A
// panic becomes a *core.PanicError. After [runtime.Goexit] the error is ErrGoexit,
// exited is true, and the goroutine is on its way out: report runs, nothing after
// guard does.
//
// This is the one place that recovers. A panic doesn't take the process down
// because the error it becomes isn't lost: it has the stack and stops the group,
// so the side that waits gets to see it.
func guard(fn func() error, report func(err error, exited bool)) {
	var err error
	returned := false
	defer func() {
		exited := false
		if !returned {
			if p := recover(); p != nil {
				err = asPanicError(p)
			} else {
				err, exited = ErrGoexit, true
			}
		}
		report(err, exited)
	}()
	err = fn()
	returned = true
}

// asPanicError keeps what already is a *core.PanicError, for its stack tells
// more, and wraps anything else.
func asPanicError(p any) error {
	if pe, ok := p.(*core.PanicError); ok && pe != nil {
		return pe
	}
	// Leaves out this function and the deferred one that calls it.
	return core.NewPanicError(2, p)
}

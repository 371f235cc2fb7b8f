package lifecycle

import (
	"runtime"

	"darvaza.org/core"
)

// Call runs fn on the caller's goroutine and returns its error. A panic of fn
// becomes the error instead: a *core.PanicError that carries the payload and the
// stack of the panic, or the payload itself where that is a core.Recovered
// already. Match it by errors.As; errors.Is sees a payload that is an error.
// A nil fn does nothing.
//
// [runtime.Goexit] passes through: Call doesn't return then, and the caller's
// deferred functions run. A caller that must not end this way notices in a
// deferred function that Call didn't return, and records [ErrGoexit].
//
// Call allocates nothing unless fn panics, starts no goroutine, and may be used
// concurrently.
func Call(fn func() error) (err error) {
	if fn == nil {
		return nil
	}

	returned := false
	defer func() {
		if !returned {
			err = Recovered(recover())
		}
	}()

	err = fn()
	returned = true
	return err
}

// Recovered makes of a panic's payload the error that [Call] returns for it. It is
// for deferred functions that can't leave it to Call, and has to be called by them
// directly, with what recover gave; a nil payload counts as a panic(nil), which
// GODEBUG=panicnil=1 lets through and must not pass for success.
func Recovered(payload any) error {
	switch p := payload.(type) {
	case nil:
		payload = new(runtime.PanicNilError)
	case *core.PanicError:
		// A nil pointer is no record of a panic, it would only cause the next.
		if p != nil {
			return p
		}
	case core.Recovered:
		return p
	}
	return core.NewPanicError(panicSkip, payload)
}

// panicSkip leaves out of the stack what lies between the panic and here:
// Recovered, the deferred function and the runtime's own frame.
const panicSkip = 3

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
			err = recovered(recover())
		}
	}()

	err = fn()
	returned = true
	return err
}

// recovered makes an error of a panic's payload. Without one the goroutine is
// either exiting, and nobody will see the error, or GODEBUG=panicnil=1 let a
// panic(nil) through, which must not pass for success.
func recovered(payload any) error {
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
// recovered, the deferred function and the runtime's own frame.
const panicSkip = 3

package lifecycle

import (
	"context"
	"net"
)

// ErrorFunc is the type of an OnError callback. It is told of an error, with the
// connection it happened on, nil where there was none. Returning nil asks for
// another try; anything else stops the client with that error.
type ErrorFunc func(ctx context.Context, conn net.Conn, err error) error

// Verdict is the answer to the question what to do after an error. The zero
// value means to go on.
type Verdict struct {
	// Stop is set when there is to be no other attempt.
	Stop bool

	// Stopping is set when the client was being stopped already. The error is
	// then most likely a consequence of that, and not worth a report.
	Stopping bool

	// Told is set when OnError was called, so that the user knows of the error.
	Told bool

	// Reason says why to stop, unfiltered: it is what the client's context is to
	// be cancelled with, and [Reason] makes of it what the user gets to see.
	// When the client was stopping already it is the cause of its context. It
	// is nil unless Stop is set.
	Reason error
}

// Judge decides what an error means for the client. The first rule that applies
// settles it:
//
//  1. A nil err: go on.
//  2. ctx, the client's context, has ended: stop, with its cause.
//  3. err wraps [ErrDoNotReconnect]: stop, as [JudgeStop] does.
//  4. onError isn't nil: it is called. Where it returns nil go on, otherwise
//     stop with what it returned.
//  5. Otherwise [IsFatal] decides, and err is the reason.
//
// onError runs on the caller's goroutine, through [Call], so that a panic in it
// counts as the error it returned, and runtime.Goexit passes through. Judge blocks
// for as long as onError does, and holds no lock meanwhile.
func Judge(ctx context.Context, conn net.Conn, err error,
	onError func(context.Context, net.Conn, error) error) Verdict {
	switch {
	case err == nil:
		return Verdict{}
	case isOver(ctx):
		return stopping(ctx)
	case anyNode(err, isStop):
		return JudgeStop(ctx, conn, err, onError)
	case onError != nil:
		reason := tell(ctx, conn, err, onError)
		return Verdict{Stop: reason != nil, Told: true, Reason: reason}
	case IsFatal(err):
		return Verdict{Stop: true, Reason: err}
	default:
		return Verdict{}
	}
}

// JudgeStop decides like [Judge] on an error that asks for the end, such as one
// that came from waiting for the next attempt. The verdict is always to stop:
// onError is told, unless it is nil or the client was stopping already, and the
// reason is what it returns, or err where that is nil. A nil err stands for
// [ErrDoNotReconnect].
func JudgeStop(ctx context.Context, conn net.Conn, err error,
	onError func(context.Context, net.Conn, error) error) Verdict {
	if isOver(ctx) {
		return stopping(ctx)
	}
	if err == nil {
		err = ErrDoNotReconnect
	}
	if onError == nil {
		return Verdict{Stop: true, Reason: err}
	}

	reason := tell(ctx, conn, err, onError)
	if reason == nil {
		reason = err
	}
	return Verdict{Stop: true, Told: true, Reason: reason}
}

// isOver reports whether the client is being stopped. A nil context never ends.
func isOver(ctx context.Context) bool {
	return ctx != nil && ctx.Err() != nil
}

func stopping(ctx context.Context) Verdict {
	return Verdict{Stop: true, Stopping: true, Reason: context.Cause(ctx)}
}

func tell(ctx context.Context, conn net.Conn, err error,
	onError func(context.Context, net.Conn, error) error) error {
	return Call(func() error { return onError(ctx, conn, err) })
}

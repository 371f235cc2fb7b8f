package lifecycle_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"

	"darvaza.org/core"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/lifecycle"
)

// run calls every method but those of the verdict, by name.
var run = map[string]func(*lifecycle.Callbacks) error{
	"Socket":     func(c *lifecycle.Callbacks) error { return c.Socket(ended, nil) },
	"Connect":    func(c *lifecycle.Callbacks) error { return c.Connect(ended, nil) },
	"Session":    func(c *lifecycle.Callbacks) error { return c.Session(ended) },
	"Disconnect": func(c *lifecycle.Callbacks) error { return c.Disconnect(ended, nil) },
	"State":      func(c *lifecycle.Callbacks) error { return c.State(lifecycle.Idle, lifecycle.Stopped) },
}

var ended = stopped(io.ErrClosedPipe)

// all makes callbacks that do the same in each place.
func all(fn func() error) *lifecycle.Callbacks {
	return &lifecycle.Callbacks{
		OnSocket:     func(context.Context, syscall.RawConn) error { return fn() },
		OnConnect:    func(context.Context, net.Conn) error { return fn() },
		OnSession:    func(context.Context) error { return fn() },
		OnDisconnect: func(context.Context, net.Conn) error { return fn() },
		OnState:      func(lifecycle.State, lifecycle.State) { _ = fn() },
	}
}

func TestCallbacksReturnTheErrorOfTheCallback(t *testing.T) {
	for name, method := range run {
		err := method(all(func() error { return io.EOF }))
		if name == "State" {
			assert.NoError(t, err, "OnState has no error to return")
			continue
		}
		assert.Equal(t, io.EOF, err, name)
	}
}

func TestCallbacksDoNothingWhereThereIsNone(t *testing.T) {
	for name, method := range run {
		if name != "Session" {
			assert.NoError(t, method(new(lifecycle.Callbacks)), name)
		}
	}
}

func TestCallbacksTurnPanicsIntoErrors(t *testing.T) {
	for name, method := range run {
		var pe *core.PanicError
		require.ErrorAs(t, method(all(func() error { return explode("boom") })), &pe, name)
		assert.Equal(t, "explode", pe.CallStack()[0].FuncName(), name)
	}
}

func TestCallbacksLetGoexitThrough(t *testing.T) {
	for name, method := range run {
		assert.False(t, exitInside(func() {
			_ = method(all(func() error {
				runtime.Goexit()
				return nil
			}))
		}), name)
	}
}

func TestCallbacksAllocateNothing(t *testing.T) {
	c := all(func() error { return nil })
	for name, method := range run {
		assert.Zero(t, testing.AllocsPerRun(100, func() { _ = method(c) }), name)
	}
}

func TestCallbacksPassTheirArgumentsOn(t *testing.T) {
	conn := newConn()
	raw := struct{ syscall.RawConn }{}
	ctx := context.WithValue(t.Context(), key("a"), "b")
	calls := 0

	seen := func(c context.Context) {
		calls++
		assert.Equal(t, ctx, c)
	}
	cb := &lifecycle.Callbacks{
		OnSocket: func(c context.Context, got syscall.RawConn) error {
			seen(c)
			assert.Equal(t, raw, got)
			return nil
		},
		OnConnect: func(c context.Context, got net.Conn) error {
			seen(c)
			assert.Same(t, conn, got)
			return nil
		},
		OnSession: func(c context.Context) error {
			seen(c)
			return nil
		},
		OnDisconnect: func(c context.Context, got net.Conn) error {
			seen(c)
			assert.Same(t, conn, got)
			return nil
		},
		OnState: func(from, to lifecycle.State) {
			seen(ctx)
			assert.Equal(t, lifecycle.Connecting, from)
			assert.Equal(t, lifecycle.Connected, to)
		},
	}

	require.NoError(t, cb.Socket(ctx, raw))
	require.NoError(t, cb.Connect(ctx, conn))
	require.NoError(t, cb.State(lifecycle.Connecting, lifecycle.Connected))
	require.NoError(t, cb.Session(ctx))
	require.NoError(t, cb.Disconnect(ctx, conn))
	assert.Equal(t, 5, calls)
}

func TestCallbacksWithoutOnSessionHoldItUntilTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		result := make(chan error, 1)
		go func() { result <- new(lifecycle.Callbacks).Session(ctx) }()

		synctest.Wait()
		assert.Empty(t, result, "the session is over too early")

		cancel(io.EOF)
		assert.Equal(t, io.EOF, <-result)
	})
}

func TestCallbacksSessionSurvivesANilContext(t *testing.T) {
	assert.True(t, lifecycle.IsFatal(new(lifecycle.Callbacks).Session(nobody)))
}

func TestCallbacksJudgeWithOnError(t *testing.T) {
	cb := &lifecycle.Callbacks{OnError: answers(retry).OnError}
	assert.Equal(t, lifecycle.Verdict{Told: true}, cb.Judge(t.Context(), nil, errOwn))
	assert.Equal(t, lifecycle.Verdict{Stop: true, Told: true, Reason: errOwn},
		cb.JudgeStop(t.Context(), nil, errOwn))

	cb.OnError = nil
	assert.Equal(t, lifecycle.Verdict{Stop: true, Reason: errOwn}, cb.Judge(t.Context(), nil, errOwn))
	assert.Zero(t, cb.Judge(t.Context(), nil, io.EOF))
}

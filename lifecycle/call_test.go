package lifecycle_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"darvaza.org/core"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/lifecycle"
)

// explode is looked for in stacks.
//
//go:noinline
func explode(payload any) error {
	panic(payload)
}

// exitInside runs fn on a goroutine of its own, whose deferred function tells
// whether fn returned.
func exitInside(fn func()) (returned bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
		returned = true
	}()
	<-done
	return returned
}

func TestCallReturnsWhatTheFunctionReturns(t *testing.T) {
	assert.Equal(t, io.EOF, lifecycle.Call(func() error { return io.EOF }))
	assert.NoError(t, lifecycle.Call(func() error { return nil }))
	assert.NoError(t, lifecycle.Call(nil))
}

func TestCallTurnsAPanicIntoAnErrorWithItsStack(t *testing.T) {
	for _, payload := range []any{"boom", io.EOF, 42} {
		err := lifecycle.Call(func() error { return explode(payload) })

		var pe *core.PanicError
		require.ErrorAs(t, err, &pe)
		require.NotEmpty(t, pe.CallStack())
		assert.Equal(t, "explode", pe.CallStack()[0].FuncName(), "the stack starts at the panic")
		if e, ok := payload.(error); ok {
			assert.ErrorIs(t, err, e)
		}
	}
}

func TestCallKeepsTheStackOfARuntimeError(t *testing.T) {
	var m map[string]int
	err := lifecycle.Call(func() error {
		m["x"] = 1
		return nil
	})

	var pe *core.PanicError
	require.ErrorAs(t, err, &pe)
	var re runtime.Error
	require.ErrorAs(t, err, &re)
	assert.Contains(t, pe.CallStack().String(), "call_test.go:", "where the map was written to")
}

// report is somebody else's record of a panic.
type report struct{ error }

func (report) Recovered() any { return "boom" }

func TestCallPassesOnAPanicThatWasRecordedBefore(t *testing.T) {
	first := core.NewPanicError(0, "boom")
	assert.Same(t, first, lifecycle.Call(func() error { return explode(first) }))
	assert.Equal(t, report{io.EOF}, lifecycle.Call(func() error { return explode(report{io.EOF}) }))
}

func TestCallRecordsAPanicWithoutPayload(t *testing.T) {
	var none *core.PanicError
	err := lifecycle.Call(func() error { return explode(none) })
	require.Error(t, err)
	assert.NotSame(t, none, err)
	assert.NotPanics(t, func() { _ = err.Error() })
	assert.True(t, lifecycle.IsFatal(err))

	for _, setting := range []string{"panicnil=0", "panicnil=1"} {
		t.Setenv("GODEBUG", setting)
		err := lifecycle.Call(func() error { return explode(nil) })
		var pe *core.PanicError
		require.ErrorAs(t, err, &pe, setting)
		assert.IsType(t, new(runtime.PanicNilError), pe.Recovered(), setting)
	}
}

func TestCallLetsGoexitThrough(t *testing.T) {
	deferred := false
	returned := exitInside(func() {
		defer func() { deferred = true }()
		_ = lifecycle.Call(func() error {
			runtime.Goexit()
			return nil
		})
	})
	assert.False(t, returned)
	assert.True(t, deferred, "the caller's deferred functions see it")
}

func TestCallNests(t *testing.T) {
	err := lifecycle.Call(func() error {
		inner := lifecycle.Call(func() error { return explode("inner") })
		return errors.Join(inner, io.EOF)
	})
	assert.ErrorIs(t, err, io.EOF)
	assert.True(t, strings.HasPrefix(err.Error(), "panic: inner"), "%v", err)
}

func TestCallAllocatesNothingOnTheGoodPath(t *testing.T) {
	n := 0
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_ = lifecycle.Call(func() error {
			n++
			return nil
		})
	}))
}

func BenchmarkCall(b *testing.B) {
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		_ = lifecycle.Call(func() error {
			n++
			return nil
		})
	}
}

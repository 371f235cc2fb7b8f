package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/worker"
)

func TestRunReturnsWhatTheFirstReturnedAfterAllHaveEnded(t *testing.T) {
	for name, tt := range map[string]struct{ first, cause error }{
		"error": {errFirst, errFirst},
		"nil":   {nil, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var causes [2]error
				other := func(i int) worker.Func {
					return func(ctx context.Context) error {
						<-ctx.Done()
						causes[i] = context.Cause(ctx)
						time.Sleep(time.Second)
						return errSecond
					}
				}
				start := time.Now()
				err := worker.Run(t.Context(), other(0), func(context.Context) error {
					time.Sleep(time.Second)
					return tt.first
				}, other(1))
				assert.Equal(t, tt.first, err)
				assert.Equal(t, 2*time.Second, time.Since(start))
				assert.Equal(t, [2]error{tt.cause, tt.cause}, causes)
			})
		})
	}
}

func TestRunWithoutFunctionsReturnsAtOnce(t *testing.T) {
	assert.NoError(t, worker.Run(t.Context()))
	assert.NoError(t, worker.Run(t.Context(), nil, nil))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	assert.NoError(t, worker.Run(over))
}

func TestRunSkipsNilFunctions(t *testing.T) {
	var n atomic.Int32
	count := func(context.Context) error { n.Add(1); return nil }
	require.NoError(t, worker.Run(t.Context(), nil, count, nil, count))
	assert.EqualValues(t, 2, n.Load())
}

func TestRunGivesTheValuesAndTheEndOfItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.WithValue(context.Background(), ctxKey{}, "kept"))
	err := worker.Run(ctx, func(ctx context.Context) error {
		assert.Equal(t, "kept", ctx.Value(ctxKey{}))
		cancel(errFirst)
		<-ctx.Done()
		assert.Equal(t, errFirst, context.Cause(ctx))
		return errSecond
	})
	assert.Equal(t, errSecond, err, "the result is the function's, not the context's")
}

func TestRunTakesNoContext(t *testing.T) {
	var none context.Context
	assert.Equal(t, errFirst, worker.Run(none, failing(errFirst), untilEnd))
}

func TestRunTurnsPanicAndGoexitIntoErrors(t *testing.T) {
	err := worker.Run(t.Context(), untilEnd, explode)
	var pe *core.PanicError
	require.ErrorAs(t, err, &pe)
	assert.ErrorIs(t, err, errFirst)

	assert.Equal(t, worker.ErrGoexit, worker.Run(t.Context(), untilEnd, goexit))
}

func TestRunMayBeNested(t *testing.T) {
	err := worker.Run(t.Context(), untilEnd, func(ctx context.Context) error {
		return worker.Run(ctx, untilEnd, failing(errFirst))
	})
	assert.Equal(t, errFirst, err)
}

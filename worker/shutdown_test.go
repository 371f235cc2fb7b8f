package worker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"darvaza.org/core"
	"darvaza.org/x/net/worker"
)

// shutdowner is a Shutdowner made of a function.
type shutdowner func(context.Context) error

func (fn shutdowner) Shutdown(ctx context.Context) error { return fn(ctx) }

func TestShutdownFuncWaitsForItsContextAndReturnsTheError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var when time.Duration
		start := time.Now()
		run := worker.NewShutdownFunc(shutdowner(func(context.Context) error {
			when = time.Since(start)
			return errFirst
		}), time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		assert.Equal(t, errFirst, run(ctx))
		assert.Equal(t, time.Hour, when)
	})
}

func TestShutdownFuncGivesValuesAndALimitButNotTheEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		timeout, took time.Duration
		err           error
	}{
		"limited":                   {time.Second, time.Second, context.DeadlineExceeded},
		"without limit":             {0, time.Minute, nil},
		"negative is without limit": {-1, time.Minute, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(context.WithValue(t.Context(), ctxKey{}, "kept"))
				cancel()
				start := time.Now()
				err := worker.NewShutdownFunc(shutdowner(func(ctx context.Context) error {
					assert.Equal(t, "kept", ctx.Value(ctxKey{}))
					select {
					case <-ctx.Done():
					case <-time.After(time.Minute):
					}
					return ctx.Err()
				}), tt.timeout)(ctx)
				assert.Equal(t, tt.err, err)
				assert.Equal(t, tt.took, time.Since(start))
			})
		})
	}
}

func TestShutdownFuncRefusesWhatItCannotWorkWith(t *testing.T) {
	err := worker.NewShutdownFunc(nil, time.Second)(t.Context())
	assert.ErrorIs(t, err, core.ErrInvalid)
	assert.EqualError(t, err, "worker: NewShutdownFunc: no Shutdowner: invalid argument")

	var none context.Context
	err = worker.NewShutdownFunc(shutdowner(failing(nil)), time.Second)(none)
	assert.ErrorIs(t, err, core.ErrInvalid)
	assert.EqualError(t, err, "worker: NewShutdownFunc: no context: invalid argument")
}

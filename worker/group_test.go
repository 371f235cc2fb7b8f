package worker_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/worker"
)

func TestZeroGroupWorksByValueInAStruct(t *testing.T) {
	var s struct {
		name  string
		group worker.Group
	}
	ran := false
	s.group.Go(func(ctx context.Context) error {
		ran = ctx.Err() == nil
		return nil
	})
	require.NoError(t, s.group.Wait())
	assert.True(t, ran)
}

func TestFirstErrorCancelsAllAndIsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g worker.Group
		var causes [3]error
		for i := range causes {
			g.Go(func(ctx context.Context) error {
				<-ctx.Done()
				causes[i] = context.Cause(ctx)
				return errSecond
			})
		}
		g.Go(func(context.Context) error {
			time.Sleep(time.Second)
			return errFirst
		})
		start := time.Now()
		require.Equal(t, errFirst, g.Wait())
		assert.Equal(t, time.Second, time.Since(start))
		for _, cause := range causes {
			assert.Equal(t, errFirst, cause)
		}
		assert.Equal(t, errFirst, context.Cause(g.Context()))
		assert.Equal(t, errFirst, g.Err())
	})
}

func TestErrorsAfterTheStopBeganAreDropped(t *testing.T) {
	var g worker.Group
	g.Go(func(ctx context.Context) error {
		<-ctx.Done()
		return errSecond
	})
	g.Cancel(nil)
	assert.NoError(t, g.Wait())
}

func TestGoSkipsNilFunctions(t *testing.T) {
	var g worker.Group
	var n atomic.Int32
	count := func(context.Context) error { n.Add(1); return nil }
	g.Go(nil, count, nil, count, nil)
	g.Go()
	g.Go(nil)
	g.GoCatch(nil, func(context.Context, error) error { return errFirst })
	require.NoError(t, g.Wait())
	assert.EqualValues(t, 2, n.Load())
}

func TestFunctionsOfOneGoStartTogether(t *testing.T) {
	// The first may end before the second has started; a Wait that is under way
	// must not take that for the end.
	for range 200 {
		var g worker.Group
		release := make(chan struct{})
		var second error = errFirst
		g.Go(func(context.Context) error {
			<-release
			g.Go(failing(nil), func(ctx context.Context) error {
				second = ctx.Err()
				return nil
			})
			return nil
		})
		done := make(chan error)
		go func() { done <- g.Wait() }()
		close(release)
		require.NoError(t, <-done)
		require.NoError(t, second)
	}
}

func TestGoDuringAStopRunsWithACancelledContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g worker.Group
		release := make(chan struct{})
		g.Go(func(context.Context) error { <-release; return nil })
		g.Cancel(errFirst)

		var got error
		g.Go(func(ctx context.Context) error { got = context.Cause(ctx); return nil })
		synctest.Wait()
		assert.Equal(t, errFirst, got)
		assert.False(t, isClosed(g.Done()))

		close(release)
		assert.Equal(t, errFirst, g.Wait())
	})
}

func TestGoAfterDoneIsANoOp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g worker.Group
		g.Cancel(nil)
		<-g.Done()
		ran := func(context.Context) error { t.Error("it ran"); return errFirst }
		g.Go(ran, ran)
		g.GoCatch(ran, nil)
		synctest.Wait()
		assert.NoError(t, g.Wait())
	})
}

func TestWaitIncludesFunctionsAddedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g worker.Group
		var n atomic.Int32
		var add func(depth int) worker.Func
		add = func(depth int) worker.Func {
			return func(context.Context) error {
				time.Sleep(time.Second)
				if n.Add(1); depth > 0 {
					g.Go(add(depth - 1))
				}
				return nil
			}
		}
		g.Go(add(9))
		start := time.Now()
		require.NoError(t, g.Wait())
		assert.EqualValues(t, 10, n.Load())
		assert.Equal(t, 10*time.Second, time.Since(start))
	})
}

func TestWaitWithNothingRunningEndsTheGroup(t *testing.T) {
	var g worker.Group
	require.NoError(t, g.Wait())
	assert.True(t, isClosed(g.Done()))
	assert.Equal(t, context.Canceled, context.Cause(g.Context()))
}

func TestWaitDoesNotCancelWhatStillRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g worker.Group
		g.Go(untilEnd)
		waited := make(chan error, 3)
		for range cap(waited) {
			go func() { waited <- g.Wait() }()
		}
		synctest.Wait()
		assert.NoError(t, g.Context().Err())
		assert.Empty(t, waited)

		g.Cancel(errFirst)
		for range cap(waited) {
			assert.Equal(t, errFirst, <-waited)
		}
	})
}

func TestGroupWithoutWaitOutlivesItsFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g worker.Group
		g.Go(failing(nil))
		synctest.Wait()
		assert.False(t, isClosed(g.Done()))
		assert.NoError(t, g.Context().Err())
		g.Cancel(nil)
		assert.True(t, isClosed(g.Done()))
	})
}

func TestDoneIsOneChannelClosedAfterTheLastFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g worker.Group
		done := g.Done()
		g.Go(func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil
		})
		g.Cancel(nil)
		synctest.Wait()
		assert.False(t, isClosed(done))

		start := time.Now()
		<-done
		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, done, g.Done())
	})
}

func TestCancelDoesNotWaitAndItsFirstCauseWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g worker.Group
		g.Go(func(context.Context) error { time.Sleep(time.Hour); return nil })
		start := time.Now()
		g.Cancel(errFirst)
		g.Cancel(errSecond)
		g.Cancel(nil)
		assert.Zero(t, time.Since(start))
		assert.Equal(t, errFirst, g.Wait())
		g.Cancel(errSecond)
		assert.Equal(t, errFirst, g.Err())
	})
}

func TestErrIsNilUntilTheStop(t *testing.T) {
	var g worker.Group
	assert.NoError(t, g.Err())
	g.Go(untilEnd)
	assert.NoError(t, g.Err())
	g.Cancel(errFirst)
	assert.Equal(t, errFirst, g.Err())
	assert.Equal(t, errFirst, g.Wait())
}

func TestStopWithoutAReasonHasNoError(t *testing.T) {
	for name, stop := range map[string]func(*worker.Group){
		"Cancel(nil)":              func(g *worker.Group) { g.Cancel(nil) },
		"Cancel(context.Canceled)": func(g *worker.Group) { g.Cancel(context.Canceled) },
		"Shutdown":                 func(g *worker.Group) { _ = g.Shutdown(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			var g worker.Group
			g.Go(untilEnd)
			stop(&g)
			assert.NoError(t, g.Wait())
			assert.NoError(t, g.Err())
			assert.Equal(t, context.Canceled, context.Cause(g.Context()))
		})
	}
	t.Run("a wrapped context.Canceled is a reason", func(t *testing.T) {
		var g worker.Group
		g.Cancel(errors.Join(context.Canceled))
		assert.ErrorIs(t, g.Wait(), context.Canceled)
	})
}

func TestShutdownWaitsForTheFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g worker.Group
		g.Go(func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil
		})
		start := time.Now()
		require.NoError(t, g.Shutdown(t.Context()))
		assert.Equal(t, time.Second, time.Since(start))
		assert.True(t, isClosed(g.Done()))
	})
}

func TestShutdownGivesUpWithItsContextAndTheStopGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g worker.Group
		g.Go(func(context.Context) error { time.Sleep(time.Hour); return nil })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		assert.Equal(t, context.DeadlineExceeded, g.Shutdown(ctx))
		assert.Equal(t, time.Second, time.Since(start))
		assert.NoError(t, g.Shutdown(context.Background()))
		assert.Equal(t, time.Hour, time.Since(start))
	})
}

func TestShutdownOfADoneGroupGivesTheReasonWhateverItsContext(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for range 100 { // select picks at random
		var g worker.Group
		g.Cancel(errFirst)
		require.Equal(t, errFirst, g.Shutdown(over))
	}
	var idle worker.Group
	assert.NoError(t, idle.Shutdown(over))
}

func TestShutdownTakesNoContext(t *testing.T) {
	var g worker.Group
	var none context.Context
	g.Go(untilEnd)
	assert.NoError(t, g.Shutdown(none))
}

func TestShutdownMayBeCalledManyTimesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g worker.Group
		g.Go(func(context.Context) error { time.Sleep(time.Second); return nil })
		errs := make(chan error, 50)
		for range cap(errs) {
			go func() { errs <- g.Shutdown(t.Context()) }()
		}
		for range cap(errs) {
			assert.NoError(t, <-errs)
		}
	})
}

func TestFunctionMayCallTheMethodsOfItsGroup(t *testing.T) {
	var g worker.Group
	g.Go(func(ctx context.Context) error {
		assert.Equal(t, ctx, g.Context())
		assert.NoError(t, g.Err())
		assert.False(t, isClosed(g.Done()))
		g.Go(untilEnd)
		g.Cancel(errFirst)
		assert.Equal(t, errFirst, g.Err())
		assert.ErrorIs(t, g.Shutdown(ctx), context.Canceled, "it gives up rather than wait for itself")
		return nil
	})
	assert.Equal(t, errFirst, g.Wait())
}

func TestHoldKeepsAGroupFromBeingDone(t *testing.T) {
	var g worker.Group
	require.True(t, g.Hold())
	g.Cancel(nil)
	require.True(t, g.Hold(), "during a stop as well")
	g.Release()
	select {
	case <-g.Done():
		t.Fatal("done while held")
	default:
	}
	g.Release()
	require.NoError(t, g.Wait())
	require.False(t, g.Hold(), "the group is done")
}

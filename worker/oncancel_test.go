package worker_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/worker"
)

func TestOnCancelIsToldTheCauseOnceBeforeDone(t *testing.T) {
	for name, tt := range map[string]struct {
		stop  func(*worker.Group, context.CancelCauseFunc)
		cause error
	}{
		"Cancel":      {func(g *worker.Group, _ context.CancelCauseFunc) { g.Cancel(errFirst) }, errFirst},
		"Cancel(nil)": {func(g *worker.Group, _ context.CancelCauseFunc) { g.Cancel(nil) }, context.Canceled},
		"Shutdown": {func(g *worker.Group, _ context.CancelCauseFunc) {
			_ = g.Shutdown(context.Background())
		}, context.Canceled},
		"function": {func(g *worker.Group, _ context.CancelCauseFunc) { g.Go(failing(errFirst)) }, errFirst},
		"goexit":   {func(g *worker.Group, _ context.CancelCauseFunc) { g.Go(goexit) }, worker.ErrGoexit},
		"parent":   {func(_ *worker.Group, cancel context.CancelCauseFunc) { cancel(errFirst) }, errFirst},
		"Wait":     {func(*worker.Group, context.CancelCauseFunc) {}, context.Canceled},
		"Wait for the last": {func(g *worker.Group, _ context.CancelCauseFunc) {
			g.Go(func(context.Context) error { time.Sleep(time.Second); return nil })
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parent, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				g := worker.Group{Parent: parent}
				var told []error
				g.OnCancel = func(cause error) {
					told = append(told, cause)
					assert.Equal(t, cause, context.Cause(g.Context()))
					time.Sleep(time.Second)
					assert.False(t, isClosed(g.Done()))
				}
				g.Done()
				tt.stop(&g, cancel)
				_ = g.Wait()
				g.Cancel(errSecond)
				assert.Equal(t, []error{tt.cause}, told)
			})
		})
	}
}

func TestOnCancelHasReturnedWhenCancelReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := false
		g := worker.Group{OnCancel: func(error) {
			time.Sleep(time.Second)
			told = true
		}}
		g.Cancel(nil)
		assert.True(t, told)
		assert.True(t, isClosed(g.Done()))
	})
}

func TestOnCancelMayCallTheMethodsOfItsGroup(t *testing.T) {
	var g worker.Group
	ran := false
	g.OnCancel = func(cause error) {
		assert.Equal(t, cause, g.Err())
		g.Cancel(errSecond)
		g.Go(func(ctx context.Context) error {
			ran = ctx.Err() != nil
			return nil
		})
		assert.ErrorIs(t, g.Shutdown(g.Context()), context.Canceled)
	}
	g.Cancel(errFirst)
	assert.Equal(t, errFirst, g.Wait())
	assert.True(t, ran)
}

func TestOnCancelOfManyRacingStopsRunsOnce(t *testing.T) {
	for range 100 {
		parent, cancel := context.WithCancelCause(context.Background())
		var told atomic.Int32
		g := worker.Group{Parent: parent, OnCancel: func(error) { told.Add(1) }}
		g.Go(untilEnd, failing(errFirst))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { g.Cancel(errSecond) })
			wg.Go(func() { _ = g.Shutdown(context.Background()) })
			wg.Go(func() { _ = g.Wait() })
			wg.Go(func() { cancel(errFirst) })
		}
		wg.Wait()
		cancel(nil)
		require.EqualValues(t, 1, told.Load())
	}
}

func TestGroupEndsAlthoughOnCancelPanics(t *testing.T) {
	for name, stop := range map[string]func(*worker.Group, context.CancelFunc){
		"in Cancel":     func(g *worker.Group, _ context.CancelFunc) { g.Cancel(nil) },
		"in Wait":       func(*worker.Group, context.CancelFunc) {},
		"for a parent":  func(_ *worker.Group, cancel context.CancelFunc) { cancel() },
		"in a function": func(g *worker.Group, _ context.CancelFunc) { g.Go(failing(context.Canceled)) },
	} {
		t.Run(name, func(t *testing.T) {
			parent, cancel := context.WithCancel(context.Background())
			defer cancel()
			g := worker.Group{Parent: parent, OnCancel: func(error) { panic(errSecond) }}
			g.Done()
			stop(&g, cancel)
			err := g.Wait()
			var pe *core.PanicError
			require.ErrorAs(t, err, &pe)
			assert.ErrorIs(t, err, errSecond)
		})
	}
}

func TestFailureOfOnCancelIsJoinedToTheReason(t *testing.T) {
	g := worker.Group{OnCancel: func(error) { panic(errSecond) }}
	g.Cancel(errFirst)
	err := g.Wait()
	assert.ErrorIs(t, err, errFirst)
	assert.ErrorIs(t, err, errSecond)
}

func TestGroupEndsAlthoughOnCancelCallsGoexit(t *testing.T) {
	for name, stop := range map[string]func(*worker.Group){
		"in Cancel":     func(g *worker.Group) { g.Cancel(errFirst) },
		"in a function": func(g *worker.Group) { g.Go(failing(errFirst)) },
		"in a panic":    func(g *worker.Group) { g.Go(func(context.Context) error { panic(errFirst) }) },
	} {
		t.Run(name, func(t *testing.T) {
			g := worker.Group{OnCancel: func(error) { runtime.Goexit() }}
			g.Go(untilEnd)
			go stop(&g) // a goroutine that may end
			<-g.Done()
			err := g.Wait()
			assert.ErrorIs(t, err, errFirst)
			assert.ErrorIs(t, err, worker.ErrGoexit)
		})
	}
}

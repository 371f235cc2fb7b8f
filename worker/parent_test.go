package worker_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/worker"
)

func TestParentThatEndsStopsTheGroupWithItsCause(t *testing.T) {
	for _, tt := range []struct {
		name        string
		cause, want error
	}{
		{"cause", errFirst, errFirst},
		{"none", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parent, cancel := context.WithCancelCause(context.Background())
			g := worker.Group{Parent: parent}
			g.Go(untilEnd)
			cancel(tt.cause)
			assert.Equal(t, tt.want, g.Wait())
			assert.Equal(t, context.Cause(parent), context.Cause(g.Context()))
		})
	}
}

func TestParentThatEndsStopsAGroupWithoutFunctions(t *testing.T) {
	parent, cancel := context.WithCancelCause(context.Background())
	g := worker.Group{Parent: parent}
	done := g.Done()
	cancel(errFirst)
	<-done
	assert.Equal(t, errFirst, g.Err())
}

func TestDeadlineOfTheParentIsAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		g := worker.Group{Parent: parent}
		start := time.Now()
		<-g.Done()
		assert.Equal(t, time.Minute, time.Since(start))
		assert.Equal(t, context.DeadlineExceeded, g.Wait())
	})
}

// foreign is a context that isn't of package context. When its deadline passes it
// tells whoever asked one after the other, the last first.
type foreign struct {
	context.Context
	after []func()
}

func (f *foreign) Value(any) any { return nil }

func (f *foreign) AfterFunc(fn func()) (stop func() bool) {
	f.after = append(f.after, fn)
	return func() bool { return false }
}

func (f *foreign) pass() {
	<-f.Done()
	for _, fn := range slices.Backward(f.after) {
		fn()
		synctest.Wait()
	}
}

func TestContextSaysThatTheDeadlineOfAnyParentHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		parent := &foreign{Context: ctx}
		g := worker.Group{Parent: parent}
		g.Go(func(ctx context.Context) error { <-ctx.Done(); return nil })
		parent.pass()
		assert.Equal(t, context.DeadlineExceeded, g.Wait())
		assert.Equal(t, context.DeadlineExceeded, g.Context().Err())
	})
}

func TestCauseOfTheParentPrecedesWhatFunctionsMakeOfIt(t *testing.T) {
	for range 200 { // the function races the watch on the parent
		parent, cancel := context.WithCancelCause(context.Background())
		g := worker.Group{Parent: parent}
		g.Go(func(ctx context.Context) error {
			<-ctx.Done()
			return errSecond
		})
		cancel(errFirst)
		require.Equal(t, errFirst, g.Wait())
	}
}

func TestFirstFunctionsRunAlthoughTheParentHasEnded(t *testing.T) {
	parent, cancel := context.WithCancelCause(context.Background())
	cancel(errFirst)
	for range 200 { // the stop races them
		g := worker.Group{Parent: parent}
		var causes [2]error
		g.Go(
			func(ctx context.Context) error { causes[0] = context.Cause(ctx); return nil },
			func(ctx context.Context) error { causes[1] = context.Cause(ctx); return nil },
		)
		require.Equal(t, errFirst, g.Wait())
		require.Equal(t, [2]error{errFirst, errFirst}, causes)
	}
}

func TestContextKeepsTheValuesOfTheParent(t *testing.T) {
	g := worker.Group{Parent: context.WithValue(context.Background(), ctxKey{}, "kept")}
	assert.Equal(t, "kept", g.Context().Value(ctxKey{}))
	assert.NoError(t, g.Shutdown(t.Context()))
}

// watchedContext counts who waits for its end by AfterFunc, as the context
// package does it for contexts that aren't its own.
type watchedContext struct {
	context.Context
	done chan struct{}

	mu       sync.Mutex
	watchers int
}

func (c *watchedContext) Done() <-chan struct{} { return c.done }

func (c *watchedContext) AfterFunc(func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers++
	var once sync.Once
	return func() bool {
		once.Do(func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.watchers--
		})
		return true
	}
}

func TestDeadGroupsLeaveNothingAtALongLivedParent(t *testing.T) {
	parent := &watchedContext{Context: context.Background(), done: make(chan struct{})}
	for i := range 100 {
		g := worker.Group{Parent: parent}
		g.Go(untilEnd)
		require.Positive(t, parent.watchers)
		switch i % 3 {
		case 0:
			g.Cancel(nil)
		case 1:
			g.Go(failing(errFirst))
		case 2:
			require.NoError(t, g.Shutdown(context.Background()))
		}
		_ = g.Wait()
		require.Zero(t, parent.watchers, "after group %d", i)
	}
}

func TestIdleGroupCostsNoGoroutine(t *testing.T) {
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	before := runtime.NumGoroutine()
	groups := make([]worker.Group, 100)
	for i := range groups {
		groups[i].Parent = parent
		groups[i].Done()
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
	cancel()
	for i := range groups {
		<-groups[i].Done()
	}
}

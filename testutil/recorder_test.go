package testutil_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/testutil"
)

func record(events ...string) *testutil.Recorder {
	r := testutil.NewRecorder()
	for _, e := range events {
		r.Record(e)
	}
	return r
}

func TestRecorderKeepsEventsInOrderWithTheirValues(t *testing.T) {
	var r testutil.Recorder // the zero value is ready
	assert.Empty(t, r.Events())
	r.Record("a", 1, "x")
	r.Record("b")
	r.Record("a", 2)
	assert.Equal(t, []string{"a", "b", "a"}, r.Events())
	assert.Equal(t, [][]any{{1, "x"}, {2}}, r.Args("a"))
	assert.Nil(t, r.Args("c"))
	assert.Equal(t, 2, r.Count("a"))
	assert.Equal(t, 0, r.Count("c"))
	assert.Equal(t, "[a b a]", r.String())
	r.Reset()
	assert.Empty(t, r.Events())
}

func TestResetForgetsNoSpanThatGoesOn(t *testing.T) {
	r := testutil.NewRecorder()
	leave := r.Enter("a")
	r.Reset()
	r.Enter("b")()
	leave()
	tb := &fakeTB{}
	assert.False(t, r.AssertNoOverlap(tb))
}

func TestWaitForReturnsAtTheMomentOfTheEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := testutil.NewRecorder()
		go func() {
			for range 3 {
				time.Sleep(time.Second)
				r.Record("tick")
			}
		}()
		start := time.Now()
		assert.NoError(t, r.WaitFor(t.Context(), "tick", 2))
		assert.Equal(t, 2*time.Second, time.Since(start))
		assert.NoError(t, r.WaitFor(t.Context(), "tick", 1), "it happened already")
		assert.Equal(t, 2*time.Second, time.Since(start))
		assert.NoError(t, r.WaitFor(t.Context(), "tick", 3))
	})
}

func TestWaitForEndsWithItsContextAndNamesTheEvent(t *testing.T) {
	r := record("tick")
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	err := r.WaitFor(ctx, "tick", 2)
	assert.ErrorIs(t, err, cause)
	assert.ErrorContains(t, err, `event "tick" to happen 2 times, have 1`)
}

func TestRecorderMayBeUsedInOneBubbleAfterAnother(t *testing.T) {
	r := testutil.NewRecorder()
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			assert.ErrorIs(t, r.WaitFor(ctx, "event", 1), context.DeadlineExceeded)
		})
	}
	r.Record("event")
	assert.NoError(t, r.WaitFor(t.Context(), "event", 1))
}

func TestOneThatGivesUpLeavesTheOthersWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := testutil.NewRecorder()
		var wg sync.WaitGroup
		for n := range 4 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n+1)*time.Minute)
				defer cancel()
				if err := r.WaitFor(ctx, "event", 1); n < 2 {
					assert.ErrorIs(t, err, context.DeadlineExceeded)
				} else {
					assert.NoError(t, err)
				}
			})
		}
		time.Sleep(150 * time.Second)
		r.Record("event")
		wg.Wait()
	})
}

func TestRecorderMayBeUsedByManyAtOnce(t *testing.T) {
	r := testutil.NewRecorder()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				leave := r.Enter("span")
				r.Record("event")
				_ = r.Events()
				leave()
			}
		})
	}
	assert.NoError(t, r.WaitFor(patience(t), "event", 400))
	wg.Wait()
	assert.Equal(t, 400, r.Count("span"))
}

// verdict runs an assertion on a test that may fail.
func verdict(t *testing.T, assertion func(tb testutil.TB) bool) (holds bool, message string) {
	t.Helper()
	var fake fakeTB
	fake.run(func(tb testutil.TB) { holds = assertion(tb) })
	assert.Equal(t, holds, fake.failures() == "", "what is returned is what is reported")
	return holds, fake.failures()
}

func TestAssertOrderWantsASubsequence(t *testing.T) {
	r := record("dial", "connect", "session", "disconnect", "connect")
	for _, c := range []struct {
		events  []string
		holds   bool
		message string
	}{
		{nil, true, ""},
		{[]string{"connect", "disconnect"}, true, ""},
		{[]string{"connect", "connect"}, true, ""},
		{[]string{"dial", "connect", "session", "disconnect", "connect"}, true, ""},
		{[]string{"disconnect", "session"}, false, `no "session" (number 2 of the 2 expected)`},
		{[]string{"connect", "connect", "connect"}, false, `no "connect" (number 3 of the 3 expected)`},
		{[]string{"none"}, false, `recorded: [dial connect session disconnect connect]`},
	} {
		holds, message := verdict(t, func(tb testutil.TB) bool { return r.AssertOrder(tb, c.events...) })
		assert.Equal(t, c.holds, holds, "%v", c.events)
		assert.Contains(t, message, c.message)
	}
}

func TestAssertExactlyWantsNothingElse(t *testing.T) {
	r := record("a", "b")
	for _, c := range []struct {
		events  []string
		holds   bool
		message string
	}{
		{[]string{"a", "b"}, true, ""},
		{[]string{"a"}, false, "differ from number 2 on"},
		{[]string{"a", "b", "c"}, false, "differ from number 3 on"},
		{[]string{"b", "a"}, false, "differ from number 1 on"},
		{nil, false, "recorded: [a b]"},
	} {
		holds, message := verdict(t, func(tb testutil.TB) bool { return r.AssertExactly(tb, c.events...) })
		assert.Equal(t, c.holds, holds, "%v", c.events)
		assert.Contains(t, message, c.message)
	}
	holds, _ := verdict(t, func(tb testutil.TB) bool { return record().AssertExactly(tb) })
	assert.True(t, holds)
}

func TestAssertPairedWantsOpeningAndClosingToAlternate(t *testing.T) {
	for _, c := range []struct {
		events  []string
		holds   bool
		message string
	}{
		{nil, true, ""},
		{[]string{"x", "x"}, true, ""},
		{[]string{"open", "x", "close", "open", "close"}, true, ""},
		{[]string{"open", "open", "close", "close"}, false, "event 2 opens again before a closing"},
		{[]string{"x", "close"}, false, "event 2 closes what isn't open"},
		{[]string{"open", "close", "close"}, false, "event 3 closes what isn't open"},
		{[]string{"open", "close", "open", "x"}, false, "event 3 was never closed"},
	} {
		r := record(c.events...)
		holds, message := verdict(t, func(tb testutil.TB) bool { return r.AssertPaired(tb, "open", "close") })
		assert.Equal(t, c.holds, holds, "%v", c.events)
		assert.Contains(t, message, c.message)
	}
}

func TestAssertNoOverlapNamesTheSpansThatDo(t *testing.T) {
	r := testutil.NewRecorder()
	leave := r.Enter("first", 1)
	leave()
	leave() // once more does nothing
	second := r.Enter("second")
	holds, _ := verdict(t, r.AssertNoOverlap)
	assert.True(t, holds, "one after the other")

	third := r.Enter("third")
	second()
	fourth := r.Enter("fourth")
	third()
	fourth()
	holds, message := verdict(t, r.AssertNoOverlap)
	assert.False(t, holds)
	assert.Contains(t, message, "third began during second")
	assert.Contains(t, message, "fourth began during third")
	assert.NotContains(t, message, "fourth began during second")
	assert.Equal(t, []string{"first", "second", "third", "fourth"}, r.Events())
	assert.Equal(t, [][]any{{1}}, r.Args("first"))

	r.Reset()
	holds, _ = verdict(t, r.AssertNoOverlap)
	assert.True(t, holds)
}

// raced is a context that ends while a wait is about to begin, just after the event.
type raced struct {
	context.Context
	end func()
}

func (c raced) Done() <-chan struct{} { c.end(); return c.Context.Done() }

func TestWaitForSeesWhatHappenedBeforeTheEndOfItsContext(t *testing.T) {
	for range 100 { // in which chance has it both ways
		r := testutil.NewRecorder()
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, r.WaitFor(raced{ctx, func() { r.Record("stopped"); cancel() }}, "stopped", 1))
	}
}

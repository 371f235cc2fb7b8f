package waiter_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"darvaza.org/x/net/waiter"
)

func sleeper(d time.Duration) waiter.Waiter {
	return func(ctx context.Context) error { return waiter.Sleep(ctx, d) }
}

func TestSleepLastsExactlyItsDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{1, time.Millisecond, time.Hour, 24 * 365 * time.Hour} {
			wantWait(t, t.Context(), sleeper(d), d, nil)
		}
	})
}

func TestSleepOfZeroOrLessDoesNotBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{0, -1, math.MinInt64} {
			wantWait(t, t.Context(), sleeper(d), 0, nil)
		}
	})
}

func TestSleepIsCutShortWithTheContextsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errTest) })
		wantWait(t, ctx, sleeper(math.MaxInt64), time.Second, context.Canceled)

		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		wantWait(t, ctx, sleeper(time.Hour), time.Minute, context.DeadlineExceeded)
	})
}

// lateContext is over the second time it is asked, and never says so by Done.
type lateContext struct {
	context.Context
	asked int
}

func (c *lateContext) Err() error {
	if c.asked++; c.asked > 1 {
		return context.Canceled
	}
	return nil
}

func TestFullSleepStillObeysAContextThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := &lateContext{Context: context.Background()}
		wantWait(t, ctx, sleeper(time.Second), time.Second, context.Canceled)
	})
}

func TestManySleepsEndWithOneContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, n)
		for range n {
			go func() { errs <- waiter.Sleep(ctx, time.Hour) }()
		}
		synctest.Wait()
		start := time.Now()
		cancel()
		for range n {
			if err := <-errs; !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v", err)
			}
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("they took %v to notice", d)
		}
	})
}

func TestOnSleepIsToldWhenASleepWillBeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []time.Time
		tell := func(until time.Time) { told = append(told, until) }
		ctx := waiter.OnSleep(t.Context(), tell)
		due := time.Now().Add(time.Minute)

		wantWait(t, ctx, waiter.NewConstant(time.Minute), time.Minute, nil)
		wantWait(t, ctx, sleeper(0), 0, nil)
		wantWait(t, waiter.OnSleep(ctx, nil), sleeper(time.Second), time.Second, nil)
		if len(told) != 1 || !told[0].Equal(due) {
			t.Errorf("told of %v, want %v once", told, due)
		}
	})
}

func TestOnSleepKeepsWhatItsContextCarries(t *testing.T) {
	ctx := waiter.WithAttempt(context.WithValue(t.Context(), testKey{}, "kept"), waiter.Attempt{Number: 3})
	ctx = waiter.OnSleep(ctx, nil)
	if a, _ := waiter.AttemptFrom(ctx); a.Number != 3 || ctx.Value(testKey{}) != "kept" {
		t.Errorf("got attempt %+v and value %v", a, ctx.Value(testKey{}))
	}
	var none context.Context
	if err := waiter.Sleep(waiter.OnSleep(none, nil), 0); err != nil {
		t.Errorf("got %v", err)
	}
}

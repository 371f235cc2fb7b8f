package waiter_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"darvaza.org/x/net/waiter"
)

// The constructors return what a Waiter is made of, so either can be declared.
var (
	_ waiter.Waiter                                   = waiter.NewConstant(0)
	_ func(time.Duration) func(context.Context) error = waiter.NewConstant
	_ func(error) func(context.Context) error         = waiter.NewImmediateError
	_ func(error) func(context.Context) error         = waiter.NewDoNotReconnect
)

func TestConstantWaitsItsDelayEveryTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := waiter.NewConstant(3 * time.Second)
		for n := range 5 {
			ctx := waiter.WithAttempt(t.Context(), waiter.Attempt{Number: n})
			wantWait(t, ctx, w, 3*time.Second, nil)
		}
	})
}

func TestConstantOfZeroWaitsTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantWait(t, t.Context(), waiter.NewConstant(0), 5*time.Second, nil)
		if waiter.DefaultDelay != 5*time.Second {
			t.Errorf("DefaultDelay is %v", waiter.DefaultDelay)
		}
	})
}

func TestNegativeConstantRefusesAtOnceWithTheBareError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := waiter.NewConstant(-1)
		wantWait(t, t.Context(), w, 0, waiter.ErrDoNotReconnect)
		if err := w(t.Context()); err != waiter.ErrDoNotReconnect {
			t.Errorf("got %#v, want the sentinel itself", err)
		}
	})
}

func TestConstantIsCutShortByItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		wantWait(t, ctx, waiter.NewConstant(time.Hour), time.Second, context.DeadlineExceeded)
	})
}

func TestImmediateErrorAnswersWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantWait(t, t.Context(), waiter.NewImmediateError(errTest), 0, errTest)
		wantWait(t, t.Context(), waiter.NewImmediateError(nil), 0, nil)
	})
}

func TestDoNotReconnectAnswersWithItsErrorOrTheSentinel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantWait(t, t.Context(), waiter.NewDoNotReconnect(errTest), 0, errTest)
		if err := waiter.NewDoNotReconnect(nil)(t.Context()); err != waiter.ErrDoNotReconnect {
			t.Errorf("got %#v, want the sentinel itself", err)
		}
	})
}

// every returns one waiter of each kind; none would answer with a context's error
// on its own.
func every() map[string]waiter.Waiter {
	return map[string]waiter.Waiter{
		"constant":             waiter.NewConstant(time.Minute),
		"negative constant":    waiter.NewConstant(-1),
		"immediate error":      waiter.NewImmediateError(errTest),
		"immediate nil":        waiter.NewImmediateError(nil),
		"do not reconnect":     waiter.NewDoNotReconnect(errTest),
		"exponential":          waiter.NewExponential(time.Minute, time.Hour),
		"backoff":              waiter.Backoff{}.Wait,
		"limit":                waiter.Limit(waiter.NewImmediateError(nil), 3),
		"limit of none":        waiter.Limit(nil, 0),
		"limit elapsed":        waiter.LimitElapsed(waiter.NewImmediateError(nil), time.Hour),
		"limit elapsed of 0":   waiter.LimitElapsed(nil, 0),
		"chain":                waiter.Chain(waiter.NewImmediateError(errTest)),
		"chain without a link": waiter.Chain(),
		"sleep of zero":        func(ctx context.Context) error { return waiter.Sleep(ctx, 0) },
	}
}

func TestContextThatHasEndedPrecedesEveryAnswer(t *testing.T) {
	for name, w := range every() {
		bubble(t, name, func(t *testing.T) {
			wantWait(t, ended(), w, 0, context.Canceled)
		})
	}
}

func TestNilContextNeverEndsAndNeverCrashes(t *testing.T) {
	var none context.Context
	for name, w := range every() {
		bubble(t, name, func(t *testing.T) {
			_ = w(none) // whatever it is, it is an answer
		})
	}
	bubble(t, "sleep", func(t *testing.T) {
		wantWait(t, none, func(ctx context.Context) error { return waiter.Sleep(ctx, time.Hour) }, time.Hour, nil)
	})
}

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

func wantGaveUp(t *testing.T, err error, text string) {
	t.Helper()
	if !errors.Is(err, waiter.ErrDoNotReconnect) || err == waiter.ErrDoNotReconnect {
		t.Fatalf("got %v, want an error that wraps ErrDoNotReconnect", err)
	}
	if !errors.Is(err, errTest) {
		t.Errorf("%v doesn't wrap the error of the last attempt", err)
	}
	if err.Error() != text {
		t.Errorf("got %q, want %q", err, text)
	}
}

func TestLimitRefusesAfterItsAttempts(t *testing.T) {
	for attempts, text := range map[int]string{
		math.MinInt: "waiter: gave up reconnecting after 0 attempts: no luck",
		-1:          "waiter: gave up reconnecting after 0 attempts: no luck",
		0:           "waiter: gave up reconnecting after 0 attempts: no luck",
		1:           "waiter: gave up reconnecting after 1 attempt: no luck",
		5:           "waiter: gave up reconnecting after 5 attempts: no luck",
	} {
		bubble(t, text, func(t *testing.T) {
			start := time.Now()
			n, err := loop(t.Context(), waiter.Limit(waiter.NewConstant(time.Second), attempts), 0)
			if n != max(attempts, 0) {
				t.Errorf("it let %d waits pass", n)
			}
			if d := time.Since(start); d != time.Duration(n)*time.Second {
				t.Errorf("it ended after %v", d)
			}
			wantGaveUp(t, err, text)
		})
	}
}

func TestLimitWithoutAttemptCountsAsTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantWait(t, t.Context(), waiter.Limit(waiter.NewConstant(time.Second), 1), time.Second, nil)
		err := waiter.Limit(nil, 0)(t.Context())
		if !errors.Is(err, waiter.ErrDoNotReconnect) || err.Error() != "waiter: gave up reconnecting after 0 attempts" {
			t.Errorf("got %v", err)
		}
	})
}

func TestLimitCountsANegativeAttemptAsTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := waiter.WithAttempt(t.Context(), waiter.Attempt{Number: -5, Err: errTest, Downtime: -time.Hour})
		wantWait(t, ctx, waiter.Limit(waiter.NewConstant(time.Second), 1), time.Second, nil)
		wantGaveUp(t, waiter.Limit(nil, 0)(ctx), "waiter: gave up reconnecting after 0 attempts: no luck")
		wantWait(t, ctx, waiter.LimitElapsed(waiter.NewConstant(time.Hour), time.Minute), time.Minute, waiter.ErrDoNotReconnect)
	})
}

func TestLimitsWithoutAWaiterWaitTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantWait(t, t.Context(), waiter.Limit(nil, 1), waiter.DefaultDelay, nil)
		wantWait(t, t.Context(), waiter.LimitElapsed(nil, time.Hour), waiter.DefaultDelay, nil)
	})
}

func TestLimitsPassOnWhatTheirWaiterAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := waiter.NewImmediateError(errTest)
		for _, w := range []waiter.Waiter{waiter.Limit(w, 1), waiter.LimitElapsed(w, time.Hour)} {
			if err := w(t.Context()); err != errTest {
				t.Errorf("got %v", err)
			}
		}
	})
}

func TestLimitElapsedEndsExactlyAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		n, err := loop(t.Context(), waiter.LimitElapsed(waiter.NewConstant(7*time.Second), 20*time.Second), 0)
		if d := time.Since(start); d != 20*time.Second || n != 2 {
			t.Errorf("%d waits, %v", n, d)
		}
		wantGaveUp(t, err, "waiter: gave up reconnecting after 2 attempts in 20s: no luck")
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v lets the means show by which it was cut short", err)
		}
	})
}

func TestLimitElapsedRefusesAtOnceWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{math.MinInt64, -1, 0, time.Minute, time.Hour} {
			ctx := waiter.WithAttempt(t.Context(), waiter.Attempt{Number: 1, Err: errTest, Downtime: time.Hour})
			start := time.Now()
			err := waiter.LimitElapsed(waiter.NewConstant(time.Second), d)(ctx)
			if took := time.Since(start); took != 0 {
				t.Errorf("it took %v", took)
			}
			wantGaveUp(t, err, "waiter: gave up reconnecting after 1 attempt in 1h0m0s: no luck")
		}
	})
}

func TestLimitElapsedRefusesAWaitThatEndsWithItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			w := waiter.LimitElapsed(waiter.NewConstant(time.Minute), time.Minute)
			wantWait(t, t.Context(), w, time.Minute, waiter.ErrDoNotReconnect)
		}
	})
}

func TestLimitElapsedOfAllTimeOnlyPassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantWait(t, t.Context(), waiter.LimitElapsed(waiter.NewConstant(time.Hour), math.MaxInt64), time.Hour, nil)
	})
}

func TestLimitElapsedYieldsToTheCallersContext(t *testing.T) {
	w := waiter.LimitElapsed(waiter.NewConstant(time.Hour), time.Minute)
	bubble(t, "ends first", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		wantWait(t, ctx, w, time.Second, context.DeadlineExceeded)
	})
	bubble(t, "ends after the bound while the waiter ignores both", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(90*time.Second, cancel)
		deaf := func(context.Context) error { time.Sleep(time.Hour); return nil }
		wantWait(t, ctx, waiter.LimitElapsed(deaf, time.Minute), time.Hour, context.Canceled)
	})
}

func TestLimitElapsedOutlastsAWaiterThatIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := func(context.Context) error { time.Sleep(time.Hour); return nil }
		wantWait(t, t.Context(), waiter.LimitElapsed(deaf, time.Minute), time.Hour, waiter.ErrDoNotReconnect)
	})
}

func TestLimitElapsedTakesAWaiterThatOnlySaysCancelledForTheEndOfItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := func(ctx context.Context) error { <-ctx.Done(); return context.Canceled }
		wantWait(t, t.Context(), waiter.LimitElapsed(w, time.Minute), time.Minute, waiter.ErrDoNotReconnect)
	})
}

func TestLimitElapsedKeepsARefusalThatComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := func(ctx context.Context) error { <-ctx.Done(); return errTest }
		if err := waiter.LimitElapsed(w, time.Minute)(t.Context()); err != errTest {
			t.Errorf("got %v", err)
		}
	})
}

func TestLimitElapsedHidesItsBoundFromAWaiterThatPlansAhead(t *testing.T) {
	// As rate limiters do: fail at once when the turn would come after the deadline.
	planner := func(ctx context.Context) error {
		if d, ok := ctx.Deadline(); ok && time.Until(d) < time.Hour {
			return errors.New("would exceed the deadline")
		}
		return waiter.Sleep(ctx, time.Hour)
	}
	synctest.Test(t, func(t *testing.T) {
		w := waiter.LimitElapsed(planner, time.Minute)
		wantWait(t, t.Context(), w, time.Minute, waiter.ErrDoNotReconnect)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w(ctx); err == nil || errors.Is(err, waiter.ErrDoNotReconnect) {
			t.Errorf("the caller's deadline isn't visible: got %v", err)
		}
	})
}

func TestStackOfWaitersEndsAtWhicheverLimitComesFirst(t *testing.T) {
	stack := waiter.Chain(waiter.NewConstant(time.Second), waiter.NewConstant(2*time.Second), waiter.NewConstant(3*time.Second))
	const attempt = 4 * time.Second // so every round takes 10s

	bubble(t, "attempts", func(t *testing.T) {
		start := time.Now()
		n, err := loop(t.Context(), waiter.LimitElapsed(waiter.Limit(stack, 3), time.Hour), attempt)
		if d := time.Since(start); n != 3 || d != 34*time.Second {
			t.Errorf("%d waits, %v", n, d)
		}
		wantGaveUp(t, err, "waiter: gave up reconnecting after 3 attempts: no luck")
	})
	bubble(t, "time, in the middle of a link", func(t *testing.T) {
		start := time.Now()
		n, err := loop(t.Context(), waiter.Limit(waiter.LimitElapsed(stack, 56*time.Second), 100), attempt)
		if d := time.Since(start); n != 5 || d != 56*time.Second {
			t.Errorf("%d waits, %v", n, d)
		}
		wantGaveUp(t, err, "waiter: gave up reconnecting after 5 attempts in 56s: no luck")
	})
	bubble(t, "time, between two links", func(t *testing.T) {
		start := time.Now()
		n, err := loop(t.Context(), waiter.LimitElapsed(stack, 17*time.Second), attempt)
		if d := time.Since(start); n != 1 || d != 17*time.Second {
			t.Errorf("%d waits, %v", n, d)
		}
		wantGaveUp(t, err, "waiter: gave up reconnecting after 1 attempt in 17s: no luck")
	})
	bubble(t, "time, during an attempt", func(t *testing.T) {
		start := time.Now()
		n, err := loop(t.Context(), waiter.LimitElapsed(stack, 12*time.Second), attempt)
		if d := time.Since(start); n != 1 || d != 14*time.Second {
			t.Errorf("%d waits, %v", n, d)
		}
		wantGaveUp(t, err, "waiter: gave up reconnecting after 1 attempt in 14s: no luck")
	})
}

func TestLimitElapsedDoesNotAskItsWaiterWhenNoTimeIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := func(context.Context) error { t.Error("it was asked"); return nil }
		ctx := waiter.WithAttempt(t.Context(), waiter.Attempt{Downtime: time.Minute})
		wantWait(t, ctx, waiter.LimitElapsed(w, time.Minute), 0, waiter.ErrDoNotReconnect)
	})
}

package waiter_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"darvaza.org/x/net/waiter"
)

const draws = 10_000

// wantStep checks by many draws that the delay is spread evenly between half of
// the step and the whole. The bounds of the counts are eight standard deviations
// away, and further.
func wantStep(t *testing.T, b waiter.Backoff, attempt int, step time.Duration) {
	t.Helper()
	var buckets [10]int
	half := step / 2
	for range draws {
		d := b.Delay(attempt)
		if d < half || d > step {
			t.Fatalf("%+v.Delay(%d) is %v, want %v to %v", b, attempt, d, half, step)
		}
		buckets[min(int(float64(d-half)/float64(step-half)*10), 9)]++
	}
	for i, n := range buckets {
		if n < draws/10-250 || n > draws/10+250 {
			t.Errorf("%+v.Delay(%d): tenth %d has %d of %d draws: %v", b, attempt, i, n, draws, buckets)
		}
	}
}

// wantRange is wantStep with draws enough to tell one step from another.
func wantRange(t *testing.T, b waiter.Backoff, attempt int, step time.Duration) {
	t.Helper()
	lowest, highest := time.Duration(math.MaxInt64), time.Duration(0)
	for range 300 {
		d := b.Delay(attempt)
		lowest, highest = min(lowest, d), max(highest, d)
	}
	half, tenth := step/2, (step-step/2)/10
	if lowest < half || lowest > half+tenth || highest < step-tenth || highest > step {
		t.Errorf("%+v.Delay(%d) is %v to %v, want %v to %v", b, attempt, lowest, highest, half, step)
	}
}

func TestDelayIsEvenBetweenHalfOfTheStepAndTheWhole(t *testing.T) {
	b := waiter.Backoff{Initial: time.Second, Max: 20 * time.Second, Factor: 1.5}
	for attempt, step := range map[int]time.Duration{
		math.MinInt:       time.Second,
		-1:                time.Second,
		0:                 time.Second,
		1:                 1500 * time.Millisecond,
		2:                 2250 * time.Millisecond,
		3:                 3375 * time.Millisecond,
		7:                 17_085_937_500,
		8:                 20 * time.Second,
		9:                 20 * time.Second,
		100:               20 * time.Second,
		10_000:            20 * time.Second,
		10_001:            20 * time.Second,
		math.MaxInt32 - 1: 20 * time.Second,
		math.MaxInt:       20 * time.Second,
	} {
		t.Run(fmt.Sprint(attempt), func(t *testing.T) { wantStep(t, b, attempt, step) })
	}
}

func TestZeroBackoffDoublesFromHalfASecondToTen(t *testing.T) {
	for attempt, step := range []time.Duration{
		500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
		10 * time.Second, 10 * time.Second, 10 * time.Second,
	} {
		wantRange(t, waiter.Backoff{}, attempt, step)
	}
}

func TestDelayReachesBothEndsOfItsRange(t *testing.T) {
	seen := map[time.Duration]int{}
	for range draws {
		seen[waiter.Backoff{Initial: 4}.Delay(0)]++
	}
	if len(seen) != 3 || seen[2] == 0 || seen[3] == 0 || seen[4] == 0 {
		t.Errorf("a step of 4ns gave %v", seen)
	}
}

func TestBackoffTakesBadValuesForUnset(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	for _, tt := range []struct {
		name    string
		b       waiter.Backoff
		attempt int
		step    time.Duration
	}{
		{"negative initial", waiter.Backoff{Initial: -s}, 0, 500 * ms},
		{"lowest initial", waiter.Backoff{Initial: math.MinInt64}, 0, 500 * ms},
		{"negative max", waiter.Backoff{Max: -s}, 100, 10 * s},
		{"long initial and no max", waiter.Backoff{Initial: time.Minute}, 0, time.Minute},
		{"long initial and no max, later", waiter.Backoff{Initial: time.Minute}, 9, time.Minute},
		{"max below initial", waiter.Backoff{Initial: s, Max: ms}, 0, ms},
		{"max below the default initial", waiter.Backoff{Max: ms}, 0, ms},
		{"negative factor", waiter.Backoff{Factor: -3}, 1, s},
		{"shrinking factor", waiter.Backoff{Factor: 0.5}, 1, s},
		{"NaN", waiter.Backoff{Factor: math.NaN()}, 1, s},
		{"infinity", waiter.Backoff{Factor: math.Inf(1)}, 1, s},
		{"minus infinity", waiter.Backoff{Factor: math.Inf(-1)}, 1, s},
		{"factor of one", waiter.Backoff{Factor: 1}, math.MaxInt, 500 * ms},
		{"largest factor, first", waiter.Backoff{Factor: math.MaxFloat64}, 0, 500 * ms},
		{"largest factor", waiter.Backoff{Factor: math.MaxFloat64}, 1, 10 * s},
		{"largest factor, later", waiter.Backoff{Factor: math.MaxFloat64}, 7, 10 * s},
		{"largest of all", waiter.Backoff{Initial: math.MaxInt64, Max: math.MaxInt64}, 5, math.MaxInt64},
		{"large max", waiter.Backoff{Max: math.MaxInt64}, 10_000, math.MaxInt64},
		{"everything wrong", waiter.Backoff{Initial: -1, Max: -1, Factor: -1}, 1, s},
	} {
		t.Run(tt.name, func(t *testing.T) { wantRange(t, tt.b, tt.attempt, tt.step) })
	}
}

func TestShortestBackoffStillWaits(t *testing.T) {
	for _, b := range []waiter.Backoff{{Initial: 1, Factor: 1}, {Max: 1}, {Initial: 1, Max: 1}} {
		for range 100 {
			if d := b.Delay(0); d != 1 {
				t.Fatalf("%+v.Delay(0) is %v", b, d)
			}
		}
	}
}

func TestNoBackoffIsALoopWithoutWaits(t *testing.T) {
	for _, v := range []time.Duration{math.MinInt64, -1, 0} {
		for _, f := range []float64{math.NaN(), math.Inf(-1), math.Inf(1), -1, 0, 0.1} {
			for attempt := range 100 {
				b := waiter.Backoff{Initial: v, Max: v, Factor: f}
				if d := b.Delay(attempt); d < 250*time.Millisecond {
					t.Fatalf("%+v.Delay(%d) is %v", b, attempt, d)
				}
			}
		}
	}
}

func TestBackoffWaitsForTheAttemptInItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, w := range map[string]waiter.Waiter{
			"backoff":     waiter.Backoff{Initial: 100 * time.Millisecond, Max: time.Hour}.Wait,
			"exponential": waiter.NewExponential(100*time.Millisecond, time.Hour),
		} {
			for n := -1; n < 20; n++ {
				step := min(100*time.Millisecond<<max(n, 0), time.Hour)
				ctx := waiter.WithAttempt(t.Context(), waiter.Attempt{Number: n})
				start := time.Now()
				if err := w(ctx); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(start); d < step/2 || d > step {
					t.Errorf("%s: attempt %d waited %v, want %v to %v", name, n, d, step/2, step)
				}
			}
		}
	})
}

func TestBackoffWithoutAttemptWaitsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			start := time.Now()
			if err := waiter.NewExponential(0, 0)(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(start); d < 250*time.Millisecond || d > 500*time.Millisecond {
				t.Errorf("waited %v", d)
			}
		}
	})
}

func TestBackoffIsCutShortByItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ctx = waiter.WithAttempt(ctx, waiter.Attempt{Number: 50})
		wantWait(t, ctx, waiter.Backoff{}.Wait, time.Second, context.DeadlineExceeded)
	})
}

func TestOneWaiterServesAThousandContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		w := waiter.Chain(waiter.Limit(waiter.LimitElapsed(
			waiter.Backoff{Initial: time.Second, Max: 1000 * time.Hour}.Wait, time.Hour), 10))
		type result struct {
			i    int
			took time.Duration
			err  error
		}
		results := make(chan result, n)
		for i := range n {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%3 == 0 {
				time.AfterFunc(time.Duration(i), cancel)
			}
			ctx = waiter.WithAttempt(ctx, waiter.Attempt{Number: i % 12})
			go func() {
				start := time.Now()
				err := w(ctx)
				results <- result{i, time.Since(start), err}
			}()
		}
		for range n {
			r := <-results
			step := time.Second << (r.i % 12)
			switch {
			case r.i%12 >= 10 && r.i > 0:
				if r.took != 0 || r.err == nil {
					t.Errorf("%d: past the limit, but %v after %v", r.i, r.err, r.took)
				}
			case r.i%3 == 0:
				if r.took != time.Duration(r.i) || r.err != context.Canceled {
					t.Errorf("%d: cancelled, but %v after %v", r.i, r.err, r.took)
				}
			case r.err != nil || r.took < step/2 || r.took > step:
				t.Errorf("%d: got %v after %v, want nil after %v to %v", r.i, r.err, r.took, step/2, step)
			}
		}
	})
}

func FuzzDelayStaysInItsRange(f *testing.F) {
	f.Add(int64(0), int64(0), 0.0, 0)
	f.Add(int64(1), int64(math.MaxInt64), math.MaxFloat64, math.MaxInt)
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64), 1.0000001, math.MaxInt32-1)
	f.Fuzz(func(t *testing.T, initial, limit int64, factor float64, attempt int) {
		b := waiter.Backoff{Initial: time.Duration(initial), Max: time.Duration(limit), Factor: factor}
		lowest, highest := b.Initial, b.Max
		if lowest <= 0 {
			lowest = 500 * time.Millisecond
		}
		if highest <= 0 {
			highest = max(lowest, 10*time.Second)
		}
		lowest = min(lowest, highest) / 2
		if d := b.Delay(attempt); d < lowest || d > highest {
			t.Errorf("%+v.Delay(%d) is %v, want %v to %v", b, attempt, d, lowest, highest)
		}
	})
}

func TestDelayDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { waiter.Backoff{}.Delay(10_000) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func BenchmarkDelay(b *testing.B) {
	for _, attempt := range []int{0, 3, 10_000} {
		b.Run(fmt.Sprint(attempt), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				waiter.Backoff{}.Delay(attempt)
			}
		})
	}
}

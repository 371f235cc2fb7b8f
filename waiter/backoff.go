package waiter

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

// What the zero value of a Backoff stands for.
const (
	defaultInitial = 500 * time.Millisecond
	defaultMax     = 10 * time.Second
	defaultFactor  = 2
)

// Backoff is a delay that grows with each attempt. The zero value is ready: it
// starts at half a second and doubles up to ten seconds. A Backoff isn't changed
// by its methods, and may be copied, shared and used concurrently.
//
// A field that makes no sense counts as one that isn't set, so no value of a
// Backoff leads to a loop without waits.
type Backoff struct {
	// Initial is the first step, 500ms where it is zero or negative.
	Initial time.Duration
	// Max is the longest step, also where Initial is longer. Where it is zero or
	// negative it is 10s, or Initial if that is more.
	Max time.Duration
	// Factor is what each step is multiplied with to get the next one. It is 2
	// where it is below 1, infinite or not a number; 1 keeps the step as it is.
	Factor float64
}

// NewExponential returns the Wait method of a [Backoff] that starts with initial,
// doubles, and stops growing at max. Zero or negative values mean the
// defaults of [Backoff]: 500ms, and 10s or initial if that is more.
func NewExponential(initial, max time.Duration) func(context.Context) error {
	return Backoff{Initial: initial, Max: max}.Wait
}

// Delay returns how long to wait before the given attempt, where 0 is the first
// and a negative one counts as that. The delay is drawn evenly from between half
// of the step and the whole step, and the step is Initial times Factor to the
// power of attempt, or Max if that is less. Chance aside, nothing but the
// arguments counts. It doesn't block, doesn't allocate, and takes any attempt
// however large.
func (b Backoff) Delay(attempt int) time.Duration {
	step := b.step(attempt)
	half := step - step/2 // of 1ns it is that
	return half + time.Duration(rand.Int64N(int64(step-half)+1))
}

// Wait blocks for the [Backoff.Delay] that belongs to the number of the attempt
// in ctx, see [WithAttempt], or to the first where there is none. It returns
// nil, or the context's error if ctx ends before.
func (b Backoff) Wait(ctx context.Context) error {
	a, _ := AttemptFrom(ctx)
	return Sleep(ctx, b.Delay(a.Number))
}

// step is the delay before chance has its part, at least 1ns.
func (b Backoff) step(attempt int) time.Duration {
	initial, limit, factor := b.Initial, b.Max, b.Factor
	if initial <= 0 {
		initial = defaultInitial
	}
	if limit <= 0 {
		limit = max(initial, defaultMax)
	}
	// The comparison is this way round because it is false for NaN.
	if !(factor >= 1 && factor <= math.MaxFloat64) {
		factor = defaultFactor
	}

	// Compared as floats: what is below limit is sure to fit a Duration, and
	// what has grown to infinity is not.
	if step := float64(initial) * power(factor, attempt); step < float64(limit) {
		return time.Duration(step)
	}
	return limit
}

// power is base to the n for a base of at least 1, where math.Pow would take
// longer than the rest of Delay. Each round squares the base, so the largest n
// takes no more than 63, and most end at infinity long before.
func power(base float64, n int) float64 {
	result := 1.0
	for ; n > 0 && result <= math.MaxFloat64; n >>= 1 {
		if n&1 != 0 {
			result *= base
		}
		base *= base
	}
	return result
}

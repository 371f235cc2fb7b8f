package waiter_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"darvaza.org/x/net/waiter"
)

var errTest = errors.New("no luck")

// wantWait runs w in virtual time and checks its answer and how long it took.
// A nil err is compared as it is, other errors by errors.Is.
func wantWait(t *testing.T, ctx context.Context, w waiter.Waiter, took time.Duration, want error) {
	t.Helper()
	start := time.Now()
	err := w(ctx)
	if got := time.Since(start); got != took {
		t.Errorf("waited %v, want %v", got, took)
	}
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

// ended returns a context that is over.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// bubble is synctest.Test for a subtest.
func bubble(t *testing.T, name string, fn func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, fn) })
}

// loop fails an attempt that takes a while, waits with w, and so on until w
// refuses. It returns the number of waits that ended well and what ended the loop.
func loop(ctx context.Context, w waiter.Waiter, attempt time.Duration) (int, error) {
	start := time.Now()
	for n := 0; ; n++ {
		if err := waiter.Sleep(ctx, attempt); err != nil {
			return n, err
		}
		a := waiter.Attempt{Number: n, Err: errTest, Downtime: time.Since(start)}
		if err := w(waiter.WithAttempt(ctx, a)); err != nil {
			return n, err
		}
	}
}

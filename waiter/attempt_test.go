package waiter_test

import (
	"context"
	"testing"
	"time"

	"darvaza.org/x/net/waiter"
)

type testKey struct{}

func TestAttemptTravelsInTheContext(t *testing.T) {
	want := waiter.Attempt{Number: 7, Err: errTest, Uptime: time.Minute, Downtime: time.Second}
	ctx := waiter.WithAttempt(t.Context(), want)
	if got, ok := waiter.AttemptFrom(ctx); !ok || got != want {
		t.Errorf("got %+v, %v", got, ok)
	}

	derived, cancel := context.WithCancel(context.WithValue(ctx, testKey{}, 1))
	defer cancel()
	if got, ok := waiter.AttemptFrom(derived); !ok || got != want {
		t.Errorf("from a derived context: got %+v, %v", got, ok)
	}
}

func TestContextWithAttemptKeepsValuesDeadlineAndEnd(t *testing.T) {
	parent, cancel := context.WithTimeout(context.WithValue(t.Context(), testKey{}, "kept"), time.Hour)
	ctx := waiter.WithAttempt(parent, waiter.Attempt{})
	if v := ctx.Value(testKey{}); v != "kept" {
		t.Errorf("value %v", v)
	}
	want, _ := parent.Deadline()
	if got, ok := ctx.Deadline(); !ok || got != want {
		t.Errorf("deadline %v, %v", got, ok)
	}
	cancel()
	<-ctx.Done()
	if ctx.Err() != context.Canceled {
		t.Errorf("error %v", ctx.Err())
	}
}

func TestInnermostAttemptCounts(t *testing.T) {
	ctx := waiter.WithAttempt(t.Context(), waiter.Attempt{Number: 1})
	ctx = waiter.WithAttempt(ctx, waiter.Attempt{Number: 2})
	if a, _ := waiter.AttemptFrom(ctx); a.Number != 2 {
		t.Errorf("got number %d", a.Number)
	}
}

func TestNoAttemptInTheContextIsToldApart(t *testing.T) {
	var none context.Context
	for _, ctx := range []context.Context{none, t.Context()} {
		if a, ok := waiter.AttemptFrom(ctx); ok || a != (waiter.Attempt{}) {
			t.Errorf("got %+v, %v", a, ok)
		}
	}
}

func TestAttemptCanBePutIntoNoContext(t *testing.T) {
	var none context.Context
	ctx := waiter.WithAttempt(none, waiter.Attempt{Number: 3})
	if a, ok := waiter.AttemptFrom(ctx); !ok || a.Number != 3 || ctx.Err() != nil {
		t.Errorf("got %+v, %v, %v", a, ok, ctx.Err())
	}
}

func TestWithAttemptAllocatesOnce(t *testing.T) {
	ctx := t.Context()
	var sink context.Context
	if n := testing.AllocsPerRun(100, func() { sink = waiter.WithAttempt(ctx, waiter.Attempt{Number: 1}) }); n > 1 {
		t.Errorf("WithAttempt allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { waiter.AttemptFrom(sink) }); n > 0 {
		t.Errorf("AttemptFrom allocates %v times", n)
	}
}

func BenchmarkWithAttempt(b *testing.B) {
	ctx := b.Context()
	b.ReportAllocs()
	var a waiter.Attempt
	for b.Loop() {
		a, _ = waiter.AttemptFrom(waiter.WithAttempt(ctx, a))
	}
}

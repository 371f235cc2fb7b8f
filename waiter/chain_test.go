package waiter_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"darvaza.org/x/net/waiter"
)

func TestChainRunsItsWaitersInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []int
		link := func(n int) waiter.Waiter {
			return func(ctx context.Context) error {
				order = append(order, n)
				return waiter.Sleep(ctx, time.Duration(n)*time.Second)
			}
		}
		wantWait(t, t.Context(), waiter.Chain(link(1), link(2), link(3)), 6*time.Second, nil)
		if len(order) != 3 || order[0] != 1 || order[1] != 2 || order[2] != 3 {
			t.Errorf("order %v", order)
		}
	})
}

func TestChainEndsAtTheFirstError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := waiter.Chain(waiter.NewConstant(time.Second), waiter.NewImmediateError(errTest), waiter.NewConstant(time.Hour))
		wantWait(t, t.Context(), w, time.Second, errTest)
	})
}

func TestChainSkipsNilLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantWait(t, t.Context(), waiter.Chain(nil, waiter.NewConstant(time.Second), nil), time.Second, nil)
		wantWait(t, t.Context(), waiter.Chain(nil, nil), 0, nil)
		wantWait(t, t.Context(), waiter.Chain(), 0, nil)
	})
}

func TestChainGoesNoFurtherOnceItsContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		// A link that swallows the end of its context.
		deaf := func(context.Context) error { cancel(); return nil }
		wantWait(t, ctx, waiter.Chain(deaf, func(context.Context) error {
			t.Error("called after the end")
			return nil
		}), 0, context.Canceled)
	})
}

func TestChainDoesNotShareTheCallersSlice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := []waiter.Waiter{waiter.NewConstant(time.Second)}
		w := waiter.Chain(ws...)
		ws[0] = nil
		wantWait(t, t.Context(), w, time.Second, nil)
	})
}

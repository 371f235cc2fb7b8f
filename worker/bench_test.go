package worker_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sync/errgroup"

	"darvaza.org/x/net/worker"
)

func TestGroupWithoutFunctionsAllocatesLittle(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		var g worker.Group
		g.Cancel(nil)
		_ = g.Wait()
	})
	assert.LessOrEqual(t, n, 5.0)
}

func BenchmarkGroupCancelWait(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var g worker.Group
		g.Cancel(nil)
		_ = g.Wait()
	}
}

func BenchmarkGroupCancelWaitWithParent(b *testing.B) {
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		g := worker.Group{Parent: parent}
		g.Cancel(nil)
		_ = g.Wait()
	}
}

func BenchmarkGroupGoWait(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var g worker.Group
		g.Go(untilEnd)
		g.Cancel(nil)
		_ = g.Wait()
	}
}

// What BenchmarkGroupGoWait is measured against.
func BenchmarkErrgroupGoWait(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := context.WithCancelCause(context.Background())
		eg, ctx := errgroup.WithContext(ctx)
		eg.Go(func() error { return untilEnd(ctx) })
		cancel(nil)
		_ = eg.Wait()
	}
}

func BenchmarkRun(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = worker.Run(context.Background(), failing(nil), untilEnd)
	}
}

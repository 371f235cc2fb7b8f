package lifecycle_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/lifecycle"
)

type key string

func TestConnFromFindsTheConnectionThroughDerivedContexts(t *testing.T) {
	conn := newConn()
	ctx := lifecycle.WithConn(t.Context(), conn)
	assert.Same(t, conn, lifecycle.ConnFrom(ctx))

	ctx, cancel := context.WithCancel(context.WithValue(ctx, key("a"), "b"))
	defer cancel()
	assert.Same(t, conn, lifecycle.ConnFrom(ctx))
	assert.Equal(t, "b", ctx.Value(key("a")))
}

func TestConnFromIsNilWithoutAConnection(t *testing.T) {
	assert.Nil(t, lifecycle.ConnFrom(t.Context()))
	assert.Nil(t, lifecycle.ConnFrom(nobody))
}

func TestWithConnHidesTheConnectionOfItsParent(t *testing.T) {
	outer, inner := newConn(), newConn()
	ctx := lifecycle.WithConn(t.Context(), outer)
	assert.Same(t, inner, lifecycle.ConnFrom(lifecycle.WithConn(ctx, inner)))
	assert.Nil(t, lifecycle.ConnFrom(lifecycle.WithConn(ctx, nil)))
}

func TestWithConnKeepsTheValuesAndTheEndOfItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancelCause(context.WithValue(t.Context(), key("a"), "b"))
		ctx := lifecycle.WithConn(parent, newConn())
		assert.Equal(t, "b", ctx.Value(key("a")))
		assert.Nil(t, ctx.Value(bare{"uncomparable"}), "a lookup must not panic")

		// The runtime would report a goroutine that outlives the bubble.
		child, stop := context.WithCancel(ctx)
		defer stop()

		cancel(io.EOF)
		<-child.Done()
		assert.Equal(t, io.EOF, context.Cause(ctx))
		assert.Equal(t, io.EOF, context.Cause(child))
	})
}

func TestWithConnStandsOnBackgroundWithoutAParent(t *testing.T) {
	conn := newConn()
	ctx := lifecycle.WithConn(nobody, conn)
	assert.Same(t, conn, lifecycle.ConnFrom(ctx))
	assert.NoError(t, ctx.Err())
}

// answering is a context that answers ConnFrom by itself.
type answering struct {
	context.Context
	conn any
}

func (a answering) Value(k any) any {
	if k == lifecycle.ConnKey() {
		return a.conn
	}
	return a.Context.Value(k)
}

func TestConnKeyLetsAnyContextAnswer(t *testing.T) {
	conn := newConn()
	assert.Same(t, conn, lifecycle.ConnFrom(answering{t.Context(), conn}))
	assert.Nil(t, lifecycle.ConnFrom(answering{t.Context(), "no connection"}))
	assert.Same(t, conn, lifecycle.WithConn(t.Context(), conn).Value(lifecycle.ConnKey()))
}

func TestWithConnPrintsNoConnection(t *testing.T) {
	ctx := lifecycle.WithConn(context.Background(), newConn())
	assert.Equal(t, "context.Background.WithConn", fmt.Sprint(ctx))
	assert.Equal(t, "context.WithConn", fmt.Sprint(lifecycle.WithConn(answering{}, newConn())))
}

func TestWithConnAllocatesOnce(t *testing.T) {
	parent, conn := t.Context(), newConn()
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		kept = lifecycle.WithConn(parent, conn)
	}), 1.0)
	assert.Zero(t, testing.AllocsPerRun(100, func() { lifecycle.ConnFrom(kept) }))
}

// kept holds a context where the compiler can't see its end.
var kept context.Context

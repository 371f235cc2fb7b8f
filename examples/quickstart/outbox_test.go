package main

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sendAll takes the next n messages.
func sendAll(t *testing.T, o *outbox, n int) (taken []uint64) {
	t.Helper()
	for range n {
		m, err := o.next(t.Context())
		require.NoError(t, err)
		taken = append(taken, m)
	}
	return taken
}

func TestAfterARewindWhatHasNoEchoIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a message too few is a deadlock, and fails at once
		o := newOutbox()
		for range 4 {
			o.add()
		}
		assert.Equal(t, []uint64{1, 2, 3}, sendAll(t, o, 3))
		require.NoError(t, o.echoed(1))
		o.rewind()
		assert.Equal(t, []uint64{2, 3, 4}, sendAll(t, o, 3))
		assert.Equal(t, 3, o.waiting())

		added, echoed, resent := o.counts()
		assert.Equal(t, []int{4, 1, 2}, []int{added, echoed, resent})
	})
}

func TestAnEchoOutOfOrderIsAnError(t *testing.T) {
	o := newOutbox()
	o.add()
	o.add()
	require.Error(t, o.echoed(1), "it wasn't sent yet")
	sendAll(t, o, 2)
	require.Error(t, o.echoed(2))
	require.NoError(t, o.echoed(1))
	require.Error(t, o.echoed(1))
	require.NoError(t, o.echoed(2))
	require.NoError(t, o.waitEmpty(t.Context()))
}

func TestNextWaitsForAMessageOrTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan uint64)
		failed := make(chan error)
		go func() { // ends with the second answer, which the test takes
			n, _ := o.next(ctx)
			got <- n
			_, err := o.next(ctx)
			failed <- err
		}()

		synctest.Wait()
		o.add()
		assert.Equal(t, uint64(1), <-got)
		synctest.Wait()
		cancel()
		assert.ErrorIs(t, <-failed, context.Canceled)
		assert.ErrorIs(t, o.waitEmpty(ctx), context.Canceled)
	})
}

func TestWaitEmptyReturnsWithTheLastEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		o.add()
		o.add()
		sendAll(t, o, 2)
		done := make(chan error)
		go func() { done <- o.waitEmpty(t.Context()) }()

		require.NoError(t, o.echoed(1))
		synctest.Wait()
		require.NoError(t, o.echoed(2))
		require.NoError(t, <-done)
	})
}

func TestAnEchoThatNeverComesEndsTheWaitAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := newPeer(t.Context(), "quickstart.example:7", newTimeline(io.Discard), defaultPace)
		require.NoError(t, err)
		p.outbox.add()
		began := time.Now()
		require.NoError(t, p.drain())
		assert.Equal(t, lastEchoes, time.Since(began))
		assert.Equal(t, 1, p.outbox.waiting())

		p.client.Cancel(nil)
		require.ErrorIs(t, p.drain(), context.Canceled)
		require.NoError(t, p.client.Wait())
	})
}

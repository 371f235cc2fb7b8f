package stream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/reconnect/stream"
	"darvaza.org/x/net/worker"
)

func TestWorkersEndWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		s, _ := newLines(t)
		s.Context = context.WithValue(context.Background(), key{}, "value")
		spawn(t, s)
		var over atomic.Int32
		wait := func(ctx context.Context) error {
			assert.Equal(t, "value", ctx.Value(key{}))
			<-ctx.Done()
			time.Sleep(time.Second)
			over.Add(1)
			return ctx.Err()
		}
		s.Go(wait, nil, wait)
		s.GoCatch(wait, nil)
		s.GoCatch(nil, nil)
		require.NoError(t, s.Close())
		assert.NoError(t, s.Wait(), "what comes after the stop is no error")
		assert.EqualValues(t, 3, over.Load(), "Wait waits for workers")

		s.Go(func(context.Context) error { t.Error("ran after the end"); return nil })
	})
}

func TestContextOfAWorkerHasNoDeadlineThatItDoesNotTellOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newLines(t)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s.Context = ctx
		spawn(t, s)
		s.Go(func(ctx context.Context) error {
			later, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			<-later.Done()
			for _, ctx := range []context.Context{ctx, later} {
				if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
					assert.Equal(t, context.DeadlineExceeded, ctx.Err())
				}
				assert.Equal(t, context.DeadlineExceeded, context.Cause(ctx))
			}
			return nil
		})
		assert.Equal(t, context.DeadlineExceeded, s.Wait())
	})
}

func TestErrorOfAWorkerEndsTheSession(t *testing.T) {
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		run func(context.Context) error
		is  func(*testing.T, error)
	}{
		"error":  {func(context.Context) error { return broken }, func(t *testing.T, err error) { assert.Equal(t, broken, err) }},
		"panic":  {func(context.Context) error { panic("boom") }, func(t *testing.T, err error) { assert.ErrorAs(t, err, new(*core.PanicError)) }},
		"goexit": {func(context.Context) error { goexit(); return nil }, func(t *testing.T, err error) { assert.ErrorIs(t, err, worker.ErrGoexit) }},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newLines(t)
			spawn(t, s)
			s.Go(tc.run)
			_, ok := s.Next()
			assert.False(t, ok)
			tc.is(t, s.Wait())
		})
	}
}

func TestCatchReplacesOrDropsAWorkersError(t *testing.T) {
	broken, other := errors.New("broken"), errors.New("other")
	fail := func(context.Context) error { return broken }
	s, _ := newLines(t)
	spawn(t, s)

	caught := make(chan struct{})
	s.GoCatch(fail, func(_ context.Context, err error) error {
		assert.Equal(t, broken, err)
		close(caught)
		return nil
	})
	<-caught
	require.NoError(t, s.Err())
	s.GoCatch(fail, func(context.Context, error) error { return other })
	assert.Equal(t, other, s.Wait())
}

// TestWorkerThatSendTurnedAwayDoesNotFailTheShutdown is about the usual worker:
// it returns what Send says.
func TestWorkerThatSendTurnedAwayDoesNotFailTheShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		s.QueueSize = 10
		spawn(t, s)
		n := fill(t, s)
		sender := func(context.Context) error { return s.Send("one more") }
		s.Go(sender)
		s.GoCatch(sender, func(_ context.Context, err error) error { return err })
		synctest.Wait()

		done := make(chan error, 1)
		go func() { done <- s.Shutdown(context.Background()) }()
		synctest.Wait()
		require.NoError(t, s.Err(), "the session is still writing")
		scan := bufio.NewScanner(peer)
		for i := range n {
			require.True(t, scan.Scan())
			assert.Equal(t, fmt.Sprint(i), scan.Text())
		}
		assert.False(t, scan.Scan())
		assert.NoError(t, <-done)
	})
}

func TestErrClosedOfSomethingElseIsAnError(t *testing.T) {
	s, _ := newLines(t)
	spawn(t, s)
	s.Go(func(context.Context) error { return stream.ErrClosed })
	assert.ErrorIs(t, s.Wait(), stream.ErrClosed)
}

// TestEveryMethodMayBeCalledByAnyoneAtAnyTime runs 64 goroutines against sessions
// whose peer echoes, and that end in every way while they do.
func TestEveryMethodMayBeCalledByAnyoneAtAnyTime(t *testing.T) {
	ends := []func(s *lines, cancel context.CancelFunc, peer func()){
		func(s *lines, _ context.CancelFunc, _ func()) { _ = s.Close() },
		func(s *lines, _ context.CancelFunc, _ func()) { _ = s.Shutdown(context.Background()) },
		func(_ *lines, cancel context.CancelFunc, _ func()) { cancel() },
		func(_ *lines, _ context.CancelFunc, peer func()) { peer() },
		func(s *lines, _ context.CancelFunc, _ func()) {
			s.Go(func(context.Context) error { return errors.New("broken") })
		},
	}
	for round := range 20 {
		ctx, cancel := context.WithCancel(context.Background())
		conn, peer := tcpPair(t)
		s := linesOver(t, conn)
		s.Context, s.QueueSize = ctx, uint(round)
		s.OnError = func(error) { _ = s.Err() }
		var wg sync.WaitGroup
		wg.Go(func() {
			scan := bufio.NewScanner(peer)
			for scan.Scan() {
				write(peer, scan.Text()+"\n")
			}
		})
		require.NoError(t, s.Spawn())
		var calls atomic.Int64
		for id := range 64 {
			wg.Go(func() {
				// Not until it is done: workers that keep coming keep it from that.
				for i := range 60 {
					callSomething(t, s, id+i)
					if calls.Add(1) == 1500 {
						ends[round%len(ends)](s, cancel, func() { _ = peer.Close() })
					}
				}
				_, _ = s.Next()
				_ = s.Shutdown(ctx)
				_ = s.Close()
				_ = s.Wait()
			})
		}
		wg.Go(func() { _ = s.Wait() })
		wg.Go(func() {
			for {
				if _, ok := s.Next(); !ok {
					return
				}
			}
		})
		<-s.Done()
		_ = peer.Close()
		wg.Wait()
		cancel()
		assert.ErrorIs(t, s.TrySend("x"), stream.ErrClosed)
	}
}

// callSomething calls one method, in a way that doesn't block for long nor ends
// the session.
func callSomething(t *testing.T, s *lines, i int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := strings.Repeat("x", i%200)
	switch i % 9 {
	case 0:
		_ = s.Send(m)
	case 1:
		_ = s.TrySend(m)
	case 2:
		_ = s.SendContext(ctx, m)
	case 3:
		select {
		case <-s.Recv():
		default:
		}
	case 4:
		_ = s.Err()
	case 5:
		s.Go(func(context.Context) error { return nil })
	case 6:
		s.GoCatch(func(context.Context) error { return errors.New("x") },
			func(context.Context, error) error { return nil })
	case 7:
		assert.Error(t, s.Spawn())
	default:
		_ = ended(s.Done())
	}
}

func TestWorkersOwnCancellationIsItsError(t *testing.T) {
	for name, start := range map[string]func(*lines, worker.Func){
		"Go":      func(s *lines, fn worker.Func) { s.Go(fn) },
		"GoCatch": func(s *lines, fn worker.Func) { s.GoCatch(fn, nil) },
	} {
		s, _ := newLines(t)
		var told error
		s.OnError = func(err error) { told = err }
		spawn(t, s)
		start(s, func(context.Context) error { return context.Canceled })
		assert.ErrorIs(t, s.Wait(), context.Canceled, name)
		assert.ErrorIs(t, told, context.Canceled, name)

		s, _ = newLines(t)
		spawn(t, s)
		start(s, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		assert.NoError(t, s.Close(), name)
		assert.NoError(t, s.Wait(), name)
	}
}

// lateContext is a context whose own listeners hear of its end before those of
// the contexts that derive from it.
type lateContext struct {
	context.Context
	done chan struct{}
	err  atomic.Pointer[error]
}

func (c *lateContext) Done() <-chan struct{} { return c.done }

func (c *lateContext) Err() error {
	if err := c.err.Load(); err != nil {
		return *err
	}
	return nil
}

func TestWorkerThatWatchesContextDoesNotMakeItsEndAnError(t *testing.T) {
	for range 100 {
		ctx := &lateContext{Context: context.Background(), done: make(chan struct{})}
		s, _ := newLines(t)
		s.Context = ctx
		spawn(t, s)
		s.Go(func(context.Context) error { <-ctx.Done(); return ctx.Err() })
		ctx.err.Store(&context.Canceled)
		close(ctx.done)
		require.NoError(t, s.Wait())
	}
}

// listError can't be compared, and so panics in a careless ==.
type listError []string

func (e listError) Error() string { return strings.Join(e, ", ") }

func TestWorkerThatReturnsWhyContextEndedDoesNotFailAShutdown(t *testing.T) {
	why, list := errors.New("why"), error(listError{"why", "not"})
	for name, tc := range map[string]struct{ cause, returned, want error }{
		"as it is":          {why, why, nil},
		"a list":            {list, list, nil},
		"a list of its own": {list, listError{"why"}, listError{"why"}},
		"an error like it":  {why, listError{"why"}, listError{"why"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := &lateContext{Context: context.Background(), done: make(chan struct{})}
				s, _, _ := newHalf(t)
				s.Context = ctx
				spawn(t, s)
				leave := make(chan struct{})
				s.Go(func(context.Context) error { <-leave; return tc.returned })
				ended := make(chan error, 1)
				go func() { ended <- s.Shutdown(context.Background()) }()
				synctest.Wait()
				ctx.err.Store(&tc.cause) // of which the session isn't told yet
				close(leave)
				assert.Equal(t, tc.want, <-ended)
			})
		})
	}
}

func TestPanicWithWhatSendSaidIsAPanicAlsoWhileClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newLines(t) // whose peer reads nothing
		s.QueueSize = 3
		spawn(t, s)
		fill(t, s)
		s.Go(func(context.Context) error {
			if err := s.Send("more"); err != nil {
				panic(err)
			}
			return nil
		})
		synctest.Wait()
		err := s.Shutdown(context.Background())
		var panicked *core.PanicError
		require.ErrorAs(t, err, &panicked)
		assert.ErrorIs(t, err, stream.ErrClosed)
	})
}

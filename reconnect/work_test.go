package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

var _ reconnect.WorkGroup = (*reconnect.Client)(nil)

func TestWorkersMayBeAddedBeforeConnectAndRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, pipeConfig(newPipe(t, nil)))
		ran := make(chan context.Context, 1)
		c.Go(nil, func(ctx context.Context) error {
			ran <- ctx
			<-ctx.Done()
			return nil
		}, nil)
		assert.Equal(t, c.Context(), receive(t, ran))
		require.NoError(t, c.Connect())
		c.Cancel(nil)
		require.NoError(t, waitDone(t, c))
	})
}

func TestContextIsAChildOfTheConfigsAndEndsWithTheCauseOfTheStop(t *testing.T) {
	type key struct{}
	cause := errors.New("cause")
	for name, tc := range map[string]struct {
		stop  func(c *reconnect.Client, base context.CancelCauseFunc)
		cause error
	}{
		"Cancel":              {func(c *reconnect.Client, _ context.CancelCauseFunc) { c.Cancel(cause) }, cause},
		"Cancel(nil)":         {func(c *reconnect.Client, _ context.CancelCauseFunc) { c.Cancel(nil) }, context.Canceled},
		"parent":              {func(_ *reconnect.Client, cancel context.CancelCauseFunc) { cancel(cause) }, cause},
		"parent, no cause":    {func(_ *reconnect.Client, cancel context.CancelCauseFunc) { cancel(nil) }, context.Canceled},
		"deadline of parents": {func(*reconnect.Client, context.CancelCauseFunc) { time.Sleep(time.Hour) }, context.DeadlineExceeded},
	} {
		for _, connect := range []bool{true, false} {
			bubble(t, fmt.Sprintf("%s, connected: %t", name, connect), func(t *testing.T) {
				base, cancel := context.WithCancelCause(context.WithValue(context.Background(), key{}, "v"))
				defer cancel(nil)
				base, done := context.WithTimeout(base, time.Hour)
				defer done()
				cfg := pipeConfig(newPipe(t, nil))
				cfg.Context = base
				c := newClient(t, cfg)
				ctx := c.Context()
				if connect {
					require.NoError(t, c.Connect())
				}
				assert.Equal(t, "v", ctx.Value(key{}))
				want, _ := base.Deadline()
				deadline, ok := ctx.Deadline()
				assert.True(t, ok)
				assert.Equal(t, want, deadline)
				assert.NoError(t, ctx.Err())
				tc.stop(c, cancel)
				synctest.Wait()
				assert.Error(t, ctx.Err())
				assert.Equal(t, tc.cause, context.Cause(ctx))
				assert.Equal(t, ctx, c.Context(), "always the same")
				if name == "Cancel" {
					assert.NoError(t, base.Err(), "a child doesn't end its parent")
				}
			})
		}
	}
}

func TestWorkerThatEndsWellLeavesTheClientRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, pipeConfig(newPipe(t, nil)))
		for range 3 {
			c.Go(func(context.Context) error { return nil })
			c.GoCatch(nil, nil)
			synctest.Wait()
		}
		select {
		case <-c.Done():
			t.Fatal("done")
		default:
		}
		require.NoError(t, c.Connect())
		c.Go(func(context.Context) error { return nil })
		synctest.Wait()
		require.Equal(t, reconnect.Connected, c.State())
	})
}

func TestGoDuringTheStopRunsWithACancelledContextAndIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), nil)
		cause := errors.New("reason")
		cleaned := false
		c.Go(func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			c.Go(func(ctx context.Context) error {
				assert.Equal(t, cause, context.Cause(ctx))
				time.Sleep(time.Second)
				cleaned = true
				return errors.New("ignored, the client is stopping")
			})
			return nil
		})
		begin := time.Now()
		c.Cancel(cause)
		require.Equal(t, cause, waitDone(t, c))
		assert.True(t, cleaned)
		assert.Equal(t, 2*time.Second, time.Since(begin))
		c.Go(func(context.Context) error {
			t.Error("ran after Done")
			return nil
		})
		c.GoCatch(func(context.Context) error {
			t.Error("ran after Done")
			return nil
		}, nil)
		synctest.Wait()
		assert.Equal(t, cause, c.Err())
	})
}

func TestGoDuringTheStopRunsAllOfItsFunctionsOrNone(t *testing.T) {
	for range 1000 { // it takes luck to end the stop between the first and the second
		c := newClient(t, &reconnect.Config{Remote: "127.0.0.1:9"})
		first := make(chan struct{})
		c.Go(func(context.Context) error { <-first; return nil }) // what the stop waits for
		c.Cancel(nil)
		var ran atomic.Int32
		funcs := []reconnect.WorkerFunc{func(context.Context) error { close(first); return nil }}
		for range 20 {
			funcs = append(funcs, func(context.Context) error { ran.Add(1); return nil })
		}
		c.Go(funcs...)
		require.NoError(t, waitDone(t, c))
		require.Equal(t, int32(20), ran.Load())
	}
}

func TestWorkersErrorPassesTheVerdict(t *testing.T) {
	alien := errors.New("alien")
	other := errors.New("other")
	for name, tc := range map[string]struct {
		err     error
		onError func(error) error
		stops   bool
		reason  error
	}{
		"unknown":                   {alien, nil, true, alien},
		"of the network":            {io.EOF, nil, false, nil},
		"a deadline":                {context.DeadlineExceeded, nil, false, nil},
		"not connected":             {reconnect.ErrNotConnected, nil, false, nil},
		"do not reconnect":          {reconnect.ErrDoNotReconnect, nil, true, nil},
		"do not reconnect, wrapped": {fmt.Errorf("x: %w", reconnect.ErrDoNotReconnect), nil, true, reconnect.ErrDoNotReconnect},
		"cancelled, its own":        {context.Canceled, nil, true, context.Canceled},
		"OnError forgives":          {alien, func(error) error { return nil }, false, nil},
		"OnError replaces":          {io.EOF, func(error) error { return other }, true, other},
		"OnError can't forgive":     {reconnect.ErrDoNotReconnect, func(error) error { return nil }, true, nil},
	} {
		bubble(t, name, func(t *testing.T) {
			var told []error
			p := newPipe(t, nil)
			c := connectPipe(t, p, func(cfg *reconnect.Config) {
				if tc.onError != nil {
					cfg.OnError = func(_ context.Context, conn net.Conn, err error) error {
						assert.NotNil(t, conn)
						told = append(told, err)
						return tc.onError(err)
					}
				}
			})
			c.Go(func(context.Context) error { return tc.err })
			synctest.Wait()
			if tc.onError != nil {
				require.Equal(t, []error{tc.err}, told)
			}
			if !tc.stops {
				require.Equal(t, reconnect.Connected, c.State())
				require.EqualValues(t, 1, c.Status().Sessions)
				return
			}
			if tc.reason == nil {
				require.NoError(t, waitDone(t, c))
			} else {
				require.ErrorIs(t, waitDone(t, c), tc.reason)
			}
		})
	}
}

func TestCatcherMayReplaceOrDropAWorkersError(t *testing.T) {
	alien, other := errors.New("alien"), errors.New("other")
	synctest.Test(t, func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), nil)
		fail := func(context.Context) error { return alien }
		c.GoCatch(fail, reconnect.NewCatchFunc(other, alien))
		synctest.Wait()
		require.Equal(t, reconnect.Connected, c.State())
		c.GoCatch(fail, func(ctx context.Context, err error) error {
			assert.Equal(t, alien, err)
			assert.Equal(t, c.Context(), ctx)
			return other
		})
		require.Equal(t, other, waitDone(t, c))
	})
}

func TestPanicOfACatcherPassesTheVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []error
		c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) {
			cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
				told = append(told, err)
				return nil
			}
		})
		c.GoCatch(func(context.Context) error { return io.EOF }, func(context.Context, error) error { panic("boom") })
		synctest.Wait()
		require.Equal(t, reconnect.Connected, c.State())
		require.Len(t, told, 1)
		requirePanicError(t, told[0], "boom")
	})
}

func TestDoneIsTheSameChannelAndCostsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, pipeConfig(newPipe(t, nil)))
		before := runtime.NumGoroutine()
		done := c.Done()
		for range 100 {
			require.Equal(t, done, c.Done())
		}
		require.LessOrEqual(t, runtime.NumGoroutine(), before)
		require.NoError(t, c.Connect())
		require.Equal(t, done, c.Done())
		c.Cancel(nil)
		require.NoError(t, waitDone(t, c))
		require.Equal(t, done, c.Done())
	})
}

func TestDoneMeansTheWorkersHaveEndedAndTheConnectionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		var ended atomic.Int32
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.OnDisconnect = func(context.Context, net.Conn) error {
				time.Sleep(time.Second)
				ended.Add(1)
				return nil
			}
			cfg.OnState = func(_, to reconnect.State) {
				if to == reconnect.Stopped {
					time.Sleep(time.Second)
					ended.Add(1)
				}
			}
		})
		for i := range 10 {
			c.Go(func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Duration(i) * time.Second)
				ended.Add(1)
				return nil
			})
		}
		c.Cancel(nil)
		<-c.Done()
		assert.EqualValues(t, 12, ended.Load())
		assert.Zero(t, p.Open())
		assert.Equal(t, reconnect.Stopped, c.State())
	})
}

func TestWaitBeforeConnectBlocksUntilTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, pipeConfig(newPipe(t, nil)))
		stop := errors.New("stop")
		var wg sync.WaitGroup
		var returned atomic.Int32
		for range 3 {
			wg.Go(func() {
				assert.Equal(t, stop, c.Wait())
				returned.Add(1)
			})
		}
		time.Sleep(time.Hour)
		require.Zero(t, returned.Load())
		require.NoError(t, c.Connect())
		time.Sleep(time.Hour)
		require.Zero(t, returned.Load())
		require.NoError(t, c.Err())
		c.Cancel(stop)
		wg.Wait()
		require.Equal(t, stop, c.Wait())
	})
}

func TestShutdownMayBeCalledAnyNumberOfTimesAtAnyTime(t *testing.T) {
	for name, start := range map[string]func(*testing.T, *reconnect.Client){
		"before Connect": func(*testing.T, *reconnect.Client) {},
		"connected":      func(t *testing.T, c *reconnect.Client) { require.NoError(t, c.Connect()) },
		"with workers": func(_ *testing.T, c *reconnect.Client) {
			c.Go(func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second)
				return ctx.Err()
			})
		},
	} {
		bubble(t, name, func(t *testing.T) {
			c := newClient(t, pipeConfig(newPipe(t, nil)))
			start(t, c)
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					if i%2 == 0 {
						assert.NoError(t, c.Shutdown(context.Background()))
					} else {
						c.Cancel(nil)
						assert.NoError(t, c.Wait())
					}
				})
			}
			wg.Wait()
			for range 3 {
				require.NoError(t, c.Shutdown(over()), "it is done, whatever the context")
			}
			require.NoError(t, c.Err())
			err := c.Connect()
			require.ErrorIs(t, err, reconnect.ErrClosed)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}

func TestShutdownThatGivesUpReturnsItsContextsErrorAndLaterOnesTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), nil)
		release := make(chan struct{})
		c.Go(func(context.Context) error { <-release; return nil })
		require.Equal(t, context.Canceled, c.Shutdown(over()))
		late, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.Equal(t, context.DeadlineExceeded, c.Shutdown(late))
		close(release)
		require.NoError(t, c.Shutdown(context.Background()))
	})
}

func TestClientThatIsNeverConnectedStopsByItsContext(t *testing.T) {
	cause := errors.New("cause")
	for name, tc := range map[string]struct {
		end    func(cancel context.CancelCauseFunc)
		reason error
	}{
		"cancelled":      {func(cancel context.CancelCauseFunc) { cancel(nil) }, nil},
		"with a cause":   {func(cancel context.CancelCauseFunc) { cancel(cause) }, cause},
		"by its timeout": {func(context.CancelCauseFunc) { time.Sleep(time.Hour) }, context.DeadlineExceeded},
	} {
		bubble(t, name, func(t *testing.T) {
			base, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			base, done := context.WithTimeout(base, time.Hour)
			defer done()
			cfg := pipeConfig(newPipe(t, nil))
			cfg.Context = base
			c := newClient(t, cfg)
			tc.end(cancel)
			assert.Equal(t, tc.reason, waitDone(t, c))
			assert.Equal(t, reconnect.Stopped, c.State())
		})
	}
}

func TestGoRacingTheStopEitherRunsOrIsDroppedButIsNeverLost(t *testing.T) {
	for range 200 {
		c := newClient(t, &reconnect.Config{Remote: "127.0.0.1:1"})
		var running, ran atomic.Int32
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					c.Go(func(context.Context) error {
						running.Add(1)
						defer running.Add(-1)
						runtime.Gosched()
						ran.Add(1)
						return nil
					})
				}
			})
		}
		wg.Go(func() { assert.NoError(t, c.Shutdown(context.Background())) })
		wg.Go(func() {
			assert.NoError(t, c.Wait())
			assert.Zero(t, running.Load(), "nothing runs when Wait returns")
		})
		wg.Wait()
	}
}

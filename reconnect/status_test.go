package reconnect_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestStatusTellsWhatTheClientIsAtAndHasBeenThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, testutil.Echo)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Minute)
		begin := time.Now()
		c := newClient(t, cfg)
		version := uint64(0)
		check := func(want reconnect.Status) {
			t.Helper()
			synctest.Wait()
			got := c.Status()
			require.Greater(t, got.Version, version, "0 is older than any")
			version = got.Version
			got.Version = 0
			require.Equal(t, want, got)
		}
		check(reconnect.Status{State: reconnect.Idle, Since: begin, Remote: pipeRemote})

		refused := testutil.ConnRefused("tcp", pipeRemote)
		p.Refuse(refused)
		time.Sleep(time.Second)
		require.NoError(t, c.Connect())
		synctest.Wait()
		failed := c.Status().LastError
		require.ErrorIs(t, failed, syscall.ECONNREFUSED)
		now := time.Now()
		check(reconnect.Status{State: reconnect.Waiting, Since: now, Remote: pipeRemote, Attempt: 1,
			LastError: failed, LastErrorAt: now, NextAttempt: now.Add(time.Minute), Attempts: 1, Failures: 1})

		p.Refuse(nil)
		time.Sleep(time.Minute)
		up := time.Now()
		check(reconnect.Status{State: reconnect.Connected, Since: up, Remote: pipeRemote, Attempt: 2,
			LastError: failed, LastErrorAt: now, ConnectedSince: up, Attempts: 2, Failures: 1, Sessions: 1})

		talk(t, c, 3)
		time.Sleep(20 * time.Second) // stable
		got := c.Status()
		require.Equal(t, []any{version, uint64(30), uint64(30)}, []any{got.Version, got.BytesRead, got.BytesWritten},
			"bytes are no news")
		p.HangUp()
		_, err := readOne(c)
		require.ErrorIs(t, err, io.EOF)
		now = time.Now()
		check(reconnect.Status{State: reconnect.Waiting, Since: now, Remote: pipeRemote, Attempt: 0,
			LastError: io.EOF, LastErrorAt: now, NextAttempt: now.Add(time.Minute), Attempts: 2, Failures: 1,
			Sessions: 1, BytesRead: 30, BytesWritten: 30})

		stop := errors.New("stop")
		c.Cancel(stop)
		require.Equal(t, stop, waitDone(t, c))
		check(reconnect.Status{State: reconnect.Stopped, Since: now, Remote: pipeRemote, Attempt: 0,
			LastError: stop, LastErrorAt: now, Attempts: 2, Failures: 1,
			Sessions: 1, BytesRead: 30, BytesWritten: 30})
	})
}

func TestWaitStatusReturnsTheNextSnapshotNewerThanTheVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, pipeConfig(newPipe(t, nil)))
		st, err := c.WaitStatus(context.Background(), 0)
		require.NoError(t, err)
		require.Equal(t, reconnect.Idle, st.State, "there is one from the start")

		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		same, err := c.WaitStatus(ctx, st.Version)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, st, same)

		require.NoError(t, c.Connect())
		st, err = c.WaitStatus(ctx, st.Version)
		require.NoError(t, err, "news come even if the context is over")
		require.Equal(t, reconnect.Connected, st.State)

		go c.Cancel(nil)
		for st.State != reconnect.Stopped {
			st, err = c.WaitStatus(context.Background(), st.Version)
			require.NoError(t, err)
		}
		_, err = c.WaitStatus(context.Background(), st.Version)
		require.ErrorIs(t, err, reconnect.ErrClosed)
		require.ErrorIs(t, err, context.Canceled)
		for _, future := range []uint64{st.Version + 1, 1<<64 - 1} {
			last, err := c.WaitStatus(context.Background(), future)
			require.ErrorIs(t, err, reconnect.ErrClosed, "nothing is to come, so nothing to wait for")
			require.Equal(t, reconnect.Stopped, last.State)
		}
	})
}

func TestWaitStatusTellsWhenTheNextAttemptIsOnceTheWaiterKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Refuse(io.EOF)
		cfg := pipeConfig(p)
		proceed := make(chan struct{})
		cfg.WaitReconnect = func(ctx context.Context) error {
			<-proceed
			return reconnect.NewConstantWaiter(time.Hour)(ctx)
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		synctest.Wait()
		st := c.Status()
		require.Equal(t, reconnect.Waiting, st.State)
		require.Zero(t, st.NextAttempt)
		close(proceed)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		st, err := c.WaitStatus(ctx, st.Version)
		require.NoError(t, err)
		require.Equal(t, time.Now().Add(time.Hour), st.NextAttempt)
	})
}

func TestReaderThatSleepsThroughAThousandTransitionsSeesTheLastState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		var transitions atomic.Int32
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.OnState = func(_, _ reconnect.State) { transitions.Add(1) }
		})
		seen := c.Status()
		for transitions.Load() < 1000 {
			require.NoError(t, c.Close())
			synctest.Wait()
		}
		p.Hang(true)
		require.NoError(t, c.Close())
		synctest.Wait()
		st, err := c.WaitStatus(context.Background(), seen.Version)
		require.NoError(t, err)
		require.Equal(t, reconnect.Connecting, st.State)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_, err = c.WaitStatus(ctx, st.Version)
		require.ErrorIs(t, err, context.DeadlineExceeded, "each state is told once")
		require.NoError(t, c.Shutdown(context.Background()))
		st, err = c.WaitStatus(context.Background(), st.Version)
		require.NoError(t, err)
		require.Equal(t, reconnect.Stopped, st.State)
	})
}

func TestNextAttemptOfALateGoroutineDoesNotBringAnOldStateBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		wait := reconnect.NewConstantWaiter(time.Hour)
		late := make(chan struct{})
		var wg sync.WaitGroup
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.WaitReconnect = func(ctx context.Context) error {
				wg.Go(func() {
					<-late
					ctx = context.WithoutCancel(ctx)
					_ = reconnect.ChainWaiters(func(ctx context.Context) error {
						ctx, cancel := context.WithTimeout(ctx, time.Second)
						defer cancel()
						return wait(ctx)
					})(ctx)
				})
				return nil
			}
		})
		require.NoError(t, c.Close())
		synctest.Wait()
		before := c.Status()
		require.Equal(t, reconnect.Connected, before.State)
		close(late)
		synctest.Wait()
		require.Equal(t, before, c.Status())
		wg.Wait()
	})
}

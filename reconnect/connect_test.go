package reconnect_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/slog"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestConnectReturnsTheFatalErrorOfTheFirstAttempt(t *testing.T) {
	fatal := errors.New("wrong password")
	for name, edit := range map[string]func(*reconnect.Config){
		"of the dialer": func(cfg *reconnect.Config) {
			cfg.Dialer = dialer.Func(func(context.Context, string, string) (net.Conn, error) { return nil, fatal })
		},
		"of OnConnect": func(cfg *reconnect.Config) {
			cfg.OnConnect = func(context.Context, net.Conn) error { return fatal }
		},
		"of OnError": func(cfg *reconnect.Config) {
			cfg.OnConnect = func(context.Context, net.Conn) error { return io.EOF }
			cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
				assert.ErrorIs(t, err, io.EOF)
				return fatal
			}
		},
	} {
		bubble(t, name, func(t *testing.T) {
			cfg := pipeConfig(newPipe(t, nil))
			edit(cfg)
			c := newClient(t, cfg)
			require.ErrorIs(t, c.Connect(), fatal)
			require.ErrorIs(t, c.Err(), fatal, "known by the time Connect returns")
			require.ErrorIs(t, waitDone(t, c), fatal)
			require.ErrorIs(t, c.Shutdown(context.Background()), fatal)
		})
	}
}

func TestConnectReturnsNilAndWarnsAfterARecoverableFailure(t *testing.T) {
	s := testutil.NewEchoServer(t, "tcp")
	s.Stop()
	logger := testutil.NewLogger(slog.Debug)
	proceed := make(chan struct{})
	c := newClient(t, &reconnect.Config{
		Remote: s.Remote(),
		Logger: logger,
		WaitReconnect: func(ctx context.Context) error {
			select {
			case <-proceed:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	})
	require.NoError(t, c.Connect())
	warning, ok := logger.Find(slog.Warn, "")
	require.True(t, ok, "no warning in:\n%s", logger.Text())
	assert.Equal(t, 1, logger.Count(slog.Warn))
	assert.Equal(t, s.Remote(), warning.Fields["addr"])
	assert.NoError(t, c.Err())

	require.NoError(t, s.Restart())
	close(proceed)
	require.NoError(t, c.WaitConnected(guarded(t)), "the loop goes on in the background")
}

func TestConnectReturnsNilOnceOnConnectIsThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pipeConfig(newPipe(t, nil))
		cfg.OnConnect = func(context.Context, net.Conn) error {
			time.Sleep(time.Second)
			return nil
		}
		c := newClient(t, cfg)
		begin := time.Now()
		require.NoError(t, c.Connect())
		assert.Equal(t, time.Second, time.Since(begin))
		assert.Equal(t, reconnect.Connected, c.State())
	})
}

func TestSecondConnectReturnsErrRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Hang(true)
		c := newClient(t, pipeConfig(p))
		var wg sync.WaitGroup
		wg.Go(func() { assert.NoError(t, c.Connect()) })
		synctest.Wait()
		check := func() {
			err := c.Connect()
			require.ErrorIs(t, err, reconnect.ErrRunning)
			require.ErrorIs(t, err, syscall.EBUSY)
			require.EqualError(t, err, "already running")
		}
		check() // during the first attempt, without a wait for it
		p.Hang(false)
		wg.Wait()
		check()
	})
}

func TestConcurrentConnectsStartOneLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		c := newClient(t, pipeConfig(p))
		var ok, running atomic.Int32
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				switch err := c.Connect(); {
				case err == nil:
					ok.Add(1)
				case errors.Is(err, reconnect.ErrRunning):
					running.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, ok.Load())
		assert.EqualValues(t, 15, running.Load())
		assert.Equal(t, 1, p.Dials())
	})
}

func TestConnectOnAStoppedClientMatchesErrClosedAndTheReason(t *testing.T) {
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		stop func(*reconnect.Client, context.CancelCauseFunc)
		want error
	}{
		"Shutdown":       {func(c *reconnect.Client, _ context.CancelCauseFunc) { _ = c.Shutdown(context.Background()) }, context.Canceled},
		"Cancel(nil)":    {func(c *reconnect.Client, _ context.CancelCauseFunc) { c.Cancel(nil) }, context.Canceled},
		"Cancel(cause)":  {func(c *reconnect.Client, _ context.CancelCauseFunc) { c.Cancel(broken) }, broken},
		"context":        {func(_ *reconnect.Client, cancel context.CancelCauseFunc) { cancel(nil) }, context.Canceled},
		"context, cause": {func(_ *reconnect.Client, cancel context.CancelCauseFunc) { cancel(broken) }, broken},
		"deadline":       {func(*reconnect.Client, context.CancelCauseFunc) { time.Sleep(2 * time.Hour) }, context.DeadlineExceeded},
	} {
		for _, connected := range []bool{false, true} {
			if connected {
				name += ", after a connect"
			}
			bubble(t, name, func(t *testing.T) {
				c, cancel := clientForAnHour(t, connected)
				tc.stop(c, cancel)
				check := func() {
					err := c.Connect()
					require.ErrorIs(t, err, reconnect.ErrClosed)
					require.ErrorIs(t, err, net.ErrClosed)
					require.ErrorIs(t, err, tc.want)
					require.NotErrorIs(t, err, reconnect.ErrRunning)
				}
				check() // stopping
				_ = waitDone(t, c)
				check() // stopped
			})
		}
	}
}

func TestConnectReturnsWhenTheStopComesDuringTheFirstAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Hang(true)
		c := newClient(t, pipeConfig(p))
		connected := connecting(c)
		synctest.Wait()
		begin := time.Now()
		c.Cancel(nil)
		err := <-connected
		require.ErrorIs(t, err, reconnect.ErrClosed)
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, waitDone(t, c))
		assert.Zero(t, time.Since(begin))
	})
}

func TestConnectDoesNotOutwaitAStopForACallbackThatIgnoresIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pipeConfig(newPipe(t, nil))
		release := make(chan struct{})
		cfg.OnConnect = func(context.Context, net.Conn) error { <-release; return nil }
		c := newClient(t, cfg)
		connected := connecting(c)
		synctest.Wait()
		c.Cancel(nil)
		require.ErrorIs(t, <-connected, reconnect.ErrClosed)
		close(release)
	})
}

func TestConnectTellsOfAStopOfOnConnectItself(t *testing.T) {
	broken := errors.New("broken")
	for range 100 { // the result must not depend on who is quicker
		synctest.Test(t, func(t *testing.T) {
			var c *reconnect.Client
			cfg := pipeConfig(newPipe(t, nil))
			cfg.OnConnect = func(context.Context, net.Conn) error {
				c.Cancel(broken)
				return nil
			}
			c = newClient(t, cfg)
			err := c.Connect()
			require.ErrorIs(t, err, reconnect.ErrClosed)
			require.ErrorIs(t, err, broken)
		})
	}
}

func TestConnectRacingAStopLeavesAClientThatEnds(t *testing.T) {
	p := newPipe(t, nil)
	for i := range 500 {
		c, err := reconnect.New(pipeConfig(p))
		require.NoError(t, err)
		var wg sync.WaitGroup
		wg.Go(func() { _ = c.Connect() })
		wg.Go(func() { c.Cancel(nil) })
		wg.Wait()
		require.NoError(t, waitDone(t, c))
		require.Equal(t, reconnect.Stopped, c.State(), "round %d", i)
		require.ErrorIs(t, c.WaitConnected(guarded(t)), reconnect.ErrClosed)
	}
	require.NoError(t, p.WaitOpen(guarded(t), 0))
}

func TestConnectReturnsAfterTheFirstAttemptAlsoWhereNoWaitFollowsIt(t *testing.T) {
	for name, again := range map[string]func(*reconnect.Client) error{
		"Reconnect": (*reconnect.Client).Reconnect,
		"Reload": func(c *reconnect.Client) error {
			c.Config().Remote = "a." + c.Config().Remote // another one, dialled at once
			return c.Reload()
		},
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			p.Refuse(io.EOF)
			var c *reconnect.Client
			cfg := pipeConfig(p)
			cfg.OnError = func(context.Context, net.Conn, error) error {
				if p.Dials() == 3 {
					return errors.New("enough")
				}
				time.Sleep(time.Second)
				return again(c)
			}
			c = newClient(t, cfg)
			begin := time.Now()
			require.NoError(t, c.Connect())
			assert.Equal(t, time.Second, time.Since(begin))
			assert.Equal(t, uint64(1), c.Status().Failures)
			require.ErrorContains(t, waitDone(t, c), "enough")
		})
	}
}

package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestShutdownGivesUpOnACallbackThatIgnoresItsContext(t *testing.T) {
	for _, in := range append(callbacks(), "worker") {
		bubble(t, in, func(t *testing.T) {
			p := newPipe(t, nil)
			entered, release := make(chan struct{}), make(chan struct{})
			done := false
			block := func() {
				if !done {
					done = true
					close(entered)
					<-release
				}
			}
			cfg := plant(p, testutil.NewRecorder(), in, block)
			if in == "OnState" {
				cfg.OnState = func(_, to reconnect.State) {
					if to == reconnect.Connected {
						block()
					}
				}
			}
			c := newClient(t, cfg)
			if in == "worker" {
				c.Go(func(context.Context) error { block(); return nil })
			}
			go func() { _ = c.Connect() }()
			<-entered

			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			begin := time.Now()
			require.Equal(t, context.DeadlineExceeded, c.Shutdown(ctx))
			assert.Equal(t, time.Minute, time.Since(begin))
			assert.Zero(t, p.Open(), "closed under whatever runs")

			require.Equal(t, context.Canceled, c.Shutdown(over()))
			require.False(t, isDone(c), "done while a callback runs")
			close(release)
			require.NoError(t, waitDone(t, c))
			require.NoError(t, c.Shutdown(over()), "after the stop the reason counts")
		})
	}
}

func TestShutdownGivesUpOnAnOnSocketThatIgnoresItsContext(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		entered, release := make(chan struct{}), make(chan struct{})
		c := newClient(t, &reconnect.Config{
			Remote: s.Remote(), DialTimeout: -1,
			OnSocket: func(context.Context, syscall.RawConn) error {
				close(entered)
				<-release
				return nil
			},
			OnConnect: func(context.Context, net.Conn) error { t.Error("the stop came first"); return nil },
		})
		connected := connecting(c)
		receive(t, entered)
		require.Equal(t, context.Canceled, c.Shutdown(over()))
		require.ErrorIs(t, receive(t, connected), reconnect.ErrClosed)
		require.Equal(t, context.Canceled, c.Shutdown(over()), "again")
		require.False(t, isDone(c), "done while OnSocket runs")
		close(release)
		require.NoError(t, waitDone(t, c))
		require.NoError(t, c.Shutdown(over()), "after the stop the reason counts")
		require.NoError(t, s.WaitOpen(guarded(t), 0))
	})
}

func TestShutdownThatGivesUpClosesTheConnectionUnderABlockedWrite(t *testing.T) {
	for name, d := range map[string]time.Duration{"bounded": time.Hour, "off": -1} {
		bubble(t, name, func(t *testing.T) {
			var stopped time.Time
			p := newPipe(t, nil)
			edit := func(cfg *reconnect.Config) { cfg.WriteTimeout = d }
			c := connectSession(t, p, edit, func(_ context.Context, c *reconnect.Client) error {
				_, err := writeOne(c)
				assert.ErrorIs(t, err, net.ErrClosed)
				assert.Equal(t, time.Second, time.Since(stopped))
				return nil
			})
			time.Sleep(time.Minute)
			stopped = time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			require.Equal(t, context.DeadlineExceeded, c.Shutdown(ctx))
			require.NoError(t, waitDone(t, c))
			assert.Equal(t, time.Second, time.Since(stopped))
			assert.Zero(t, p.Open())
		})
	}
}

func TestFirstCauseOfTheStopCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := errors.New("first"), errors.New("second")
		c := newClient(t, pipeConfig(newPipe(t, nil)))
		require.NoError(t, c.Connect())
		require.NoError(t, c.Err())
		c.Cancel(first)
		c.Cancel(second)
		c.Cancel(nil)
		require.Equal(t, first, c.Shutdown(context.Background()))
		require.Equal(t, first, c.Wait())
		require.Equal(t, first, c.Err())
		require.Equal(t, first, context.Cause(c.Context()))
	})
}

// noContext is for those who have none at hand.
var noContext context.Context

func TestReasonOfTheStopIsWhatWaitErrAndShutdownGive(t *testing.T) {
	broken := errors.New("broken")
	wrapped := errors.Join(errors.New("limit"), reconnect.ErrDoNotReconnect)
	for name, tc := range map[string]struct {
		stop func(*reconnect.Client, context.CancelCauseFunc)
		want error
	}{
		"Shutdown":            {func(c *reconnect.Client, _ context.CancelCauseFunc) { _ = c.Shutdown(context.Background()) }, nil},
		"Shutdown(nil)":       {func(c *reconnect.Client, _ context.CancelCauseFunc) { _ = c.Shutdown(noContext) }, nil},
		"Cancel(nil)":         {func(c *reconnect.Client, _ context.CancelCauseFunc) { c.Cancel(nil) }, nil},
		"Cancel(error)":       {func(c *reconnect.Client, _ context.CancelCauseFunc) { c.Cancel(broken) }, broken},
		"Cancel(stop)":        {func(c *reconnect.Client, _ context.CancelCauseFunc) { c.Cancel(reconnect.ErrDoNotReconnect) }, nil},
		"Cancel(wrapped)":     {func(c *reconnect.Client, _ context.CancelCauseFunc) { c.Cancel(wrapped) }, wrapped},
		"context":             {func(_ *reconnect.Client, cancel context.CancelCauseFunc) { cancel(nil) }, nil},
		"context with cause":  {func(_ *reconnect.Client, cancel context.CancelCauseFunc) { cancel(broken) }, broken},
		"deadline of context": {func(*reconnect.Client, context.CancelCauseFunc) { time.Sleep(2 * time.Hour) }, context.DeadlineExceeded},
	} {
		for _, connect := range []bool{true, false} {
			bubble(t, fmt.Sprintf("%s, connected: %t", name, connect), func(t *testing.T) {
				c, cancel := clientForAnHour(t, connect)
				tc.stop(c, cancel)
				require.Equal(t, tc.want, waitDone(t, c))
				require.Equal(t, tc.want, c.Err())
				require.Equal(t, tc.want, c.Shutdown(context.Background()))
				assert.Equal(t, reconnect.Stopped, c.State())
			})
		}
	}
}

// patience is what a Shutdown that has given up still leaves to a Close.
const patience = 100 * time.Millisecond

// heldClose makes a Close of a client's connections to p block until release.
func heldClose(cfg *reconnect.Config, p *testutil.PipeListener, release <-chan struct{}) {
	cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn {
		conn.(*testutil.FaultConn).HoldClose(release)
		return conn
	})
}

func TestShutdownThatGivesUpDoesNotWaitForACloseThatBlocks(t *testing.T) {
	for name, stuck := range map[string]bool{"loop in Close": false, "loop in OnSession": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				heldClose(cfg, p, release)
				cfg.OnSession = func(ctx context.Context) error {
					<-ctx.Done()
					if stuck {
						<-release
					}
					return nil
				}
				c := newClient(t, cfg)
				require.NoError(t, c.Connect())

				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				begin := time.Now()
				require.ErrorIs(t, c.Shutdown(ctx), context.DeadlineExceeded)
				assert.Equal(t, time.Second+patience, time.Since(begin))
				close(release)
				require.NoError(t, c.Wait())
			})
		})
	}
}

package reconnect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// stuckConn is a connection whose Close takes its time.
type stuckConn struct {
	net.Conn
	release <-chan struct{}
}

func (c stuckConn) Close() error {
	<-c.release
	return c.Conn.Close()
}

func TestShutdownThatGivesUpDoesNotWaitForACloseThatBlocks(t *testing.T) {
	for name, stuck := range map[string]bool{"loop in Close": false, "loop in OnSession": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				cfg.Dialer = dialer.Func(func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := p.DialContext(ctx, network, address)
					return stuckConn{conn, release}, err
				})
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
				assert.Less(t, time.Since(begin), 2*time.Second)
				close(release)
				require.NoError(t, c.Wait())
			})
		})
	}
}

func TestWaitConnectedEndsWhenTheStopBeginsWhateverHoldsTheLoopUp(t *testing.T) {
	for name, inSession := range map[string]bool{"connected": true, "dialling": false} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			entered := make(chan struct{})
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			if inSession {
				cfg.OnSession = func(context.Context) error {
					close(entered)
					<-release
					return nil
				}
			} else {
				cfg.Dialer = dialer.Func(func(context.Context, string, string) (net.Conn, error) {
					close(entered)
					<-release
					return nil, net.ErrClosed
				})
			}
			c := newClient(t, cfg)
			connected := make(chan error, 1)
			go func() { connected <- c.Connect() }()
			<-entered
			boom := errors.New("boom")
			c.Cancel(boom)
			err := c.WaitConnected(guarded(t))
			close(release)
			require.ErrorIs(t, err, reconnect.ErrClosed)
			require.ErrorIs(t, err, boom)
			receive(t, connected)
		})
	}
}

func TestWaitsTakeANilContextForOneThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, pipeConfig(newPipe(t, nil)))
		errs := make(chan error, 2)
		var noContext context.Context // what a careless caller passes
		go func() { errs <- c.WaitConnected(noContext) }()
		go func() {
			_, err := c.WaitStatus(noContext, c.Status().Version)
			errs <- err
		}()
		synctest.Wait()
		require.Empty(t, errs)
		require.NoError(t, c.Connect())
		require.NoError(t, <-errs)
		require.NoError(t, <-errs)
	})
}

// pointerContext is a context of the user's that panics when it is nil.
type pointerContext struct{ context.Context }

func TestContextThatIsANilPointerIsRefusedWithoutAPanic(t *testing.T) {
	_, err := reconnect.New(&reconnect.Config{Remote: pipeRemote, Context: (*pointerContext)(nil)})
	require.ErrorIs(t, err, core.ErrInvalid)
	require.ErrorContains(t, err, "Config.Context")
}

func TestLongGoodbyeMakesNoSessionStable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var numbers []int
		cfg := pipeConfig(newPipe(t, nil))
		cfg.StableAfter = time.Second
		cfg.WriteTimeout = time.Minute
		cfg.OnSession = func(context.Context) error { return nil }
		cfg.OnDisconnect = func(context.Context, net.Conn) error {
			time.Sleep(time.Hour)
			return nil
		}
		cfg.WaitReconnect = func(ctx context.Context) error {
			a, _ := reconnect.AttemptFrom(ctx)
			assert.Zero(t, a.Uptime)
			if numbers = append(numbers, a.Number); len(numbers) == 3 {
				return reconnect.ErrDoNotReconnect
			}
			return nil
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.NoError(t, c.Wait())
		assert.Equal(t, []int{0, 1, 2}, numbers)
	})
}

func TestNilPointerOfADialerUnderTLSIsAnAbnormalConnect(t *testing.T) {
	var dials atomic.Int32
	c := newClient(t, &reconnect.Config{
		Remote:    pipeRemote,
		TLSConfig: new(tls.Config),
		Dialer: dialer.Func(func(context.Context, string, string) (net.Conn, error) {
			dials.Add(1)
			return (*testutil.FaultConn)(nil), nil
		}),
		WaitReconnect: reconnect.NewDoNotReconnectWaiter(nil),
	})
	require.NoError(t, c.Connect())
	require.NoError(t, waitDone(t, c))
	require.ErrorIs(t, c.Status().LastError, reconnect.ErrAbnormalConnect)
	require.EqualValues(t, 1, dials.Load())
}

func TestWriteUnderWayAtTheStopIsWaitedForWhoeverMakesIt(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"default": 0, "timeouts off": -1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const late = time.Second
				served := make(chan error, 1)
				p := newPipe(t, func(conn net.Conn) {
					time.Sleep(late)
					_, err := conn.Read(make([]byte, 1))
					served <- err
				})
				c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.WriteTimeout = timeout })
				written := make(chan error, 1)
				go func() {
					_, err := c.Write([]byte("x"))
					written <- err
				}()
				synctest.Wait()
				begin := time.Now()
				require.NoError(t, c.Shutdown(t.Context()))
				assert.Equal(t, late, time.Since(begin))
				require.NoError(t, <-written)
				require.NoError(t, <-served)
			})
		})
	}
}

func TestWriteToASocketUnderWayAtTheStopIsWaitedFor(t *testing.T) {
	const size = 16 << 20 // more than the buffers of a socket take
	for _, network := range []string{"tcp", "unix"} {
		for name, timeout := range map[string]time.Duration{"default": 0, "timeouts off": -1} {
			t.Run(network+", "+name, func(t *testing.T) {
				begun, stopped := make(chan struct{}), make(chan struct{})
				got := make(chan int64, 1)
				server := testutil.NewServer(t, network, func(conn net.Conn) {
					_, _ = io.ReadFull(conn, make([]byte, 1))
					close(begun)
					<-stopped
					n, _ := io.Copy(io.Discard, conn)
					got <- n + 1
				})
				c := newClient(t, &reconnect.Config{
					Remote:       server.Remote(),
					WriteTimeout: timeout,
					// What comes after it is to wait, then to close.
					OnDisconnect: func(context.Context, net.Conn) error {
						close(stopped)
						return nil
					},
				})
				require.NoError(t, c.Connect())
				written := make(chan error, 1)
				go func() {
					_, err := c.Write(make([]byte, size))
					written <- err
				}()
				<-begun
				c.Cancel(nil)
				assert.EqualValues(t, size, receive(t, got))
				require.NoError(t, receive(t, written))
				require.NoError(t, waitDone(t, c))
			})
		}
	}
}

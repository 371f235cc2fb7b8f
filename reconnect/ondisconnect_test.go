package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestOnDisconnectRunsOncePerConnectionThatWasUp(t *testing.T) {
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		session func(*reconnect.Client) error
		reason  error
		panics  bool
	}{
		"fatal error":   {func(*reconnect.Client) error { return broken }, broken, false},
		"stop":          {func(*reconnect.Client) error { return reconnect.ErrDoNotReconnect }, nil, false},
		"Cancel":        {func(c *reconnect.Client) error { c.Cancel(broken); return nil }, broken, false},
		"Close, Cancel": {func(c *reconnect.Client) error { _ = c.Close(); c.Cancel(nil); return nil }, nil, false},
		"panic":         {func(*reconnect.Client) error { panic("boom") }, nil, true},
	} {
		bubble(t, name, func(t *testing.T) {
			rec := testutil.NewRecorder()
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			var c *reconnect.Client
			cfg.OnConnect = func(context.Context, net.Conn) error { rec.Record("up"); return nil }
			n := 0
			cfg.OnSession = func(context.Context) error {
				if n++; n < 3 {
					return nil
				}
				return tc.session(c)
			}
			cfg.OnDisconnect = func(ctx context.Context, conn net.Conn) error {
				rec.Record("down", conn)
				assert.NoError(t, ctx.Err(), "not cancelled by the stop")
				return nil
			}
			c = newClient(t, cfg)
			require.NoError(t, c.Connect())
			err := waitDone(t, c)
			if tc.panics {
				requirePanicError(t, err, "boom")
			} else {
				require.Equal(t, tc.reason, err)
			}
			rec.AssertExactly(t, "up", "down", "up", "down", "up", "down")
			assert.Zero(t, p.Open())
		})
	}
}

func TestOnDisconnectRunsAtShutdownBeforeTheCloseAndMayStillWrite(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		heard := make(chan string, 1)
		s := testutil.NewServer(t, network, func(conn net.Conn) {
			all, _ := io.ReadAll(conn)
			heard <- string(all)
		})
		var c *reconnect.Client
		c = newClient(t, &reconnect.Config{
			Remote: s.Remote(), ReadTimeout: -1, WriteTimeout: -1,
			OnSession: func(context.Context) error {
				_, err := c.Read(make([]byte, 1))
				assert.ErrorIs(t, err, reconnect.ErrClosed)
				return err
			},
			OnDisconnect: func(_ context.Context, conn net.Conn) error {
				_, err := conn.Write([]byte("good"))
				if err == nil {
					_, err = c.Write([]byte("bye"))
				}
				return err
			},
		})
		require.NoError(t, c.Connect())
		require.NoError(t, c.Shutdown(guarded(t)))
		assert.Equal(t, "goodbye", receive(t, heard))
	})
}

func TestOnDisconnectRunsOnAClosedConnectionAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.WriteTimeout = time.Hour // which nothing waits for
		proceed := make(chan error)
		cfg.OnSession = func(context.Context) error { return <-proceed }
		ran := 0
		cfg.OnDisconnect = func(ctx context.Context, conn net.Conn) error {
			ran++
			assert.NoError(t, ctx.Err())
			assert.Same(t, conn, reconnect.ConnFrom(ctx))
			assert.Zero(t, p.Open())
			_, err := conn.Write([]byte("goodbye"))
			assert.ErrorIs(t, err, io.ErrClosedPipe)
			return nil
		}
		begin := time.Now()
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		for n, end := range []error{nil, io.EOF, reconnect.ErrDoNotReconnect} {
			synctest.Wait()
			require.Equal(t, reconnect.Connected, c.State())
			require.NoError(t, c.Close())
			proceed <- end
			synctest.Wait()
			require.Equal(t, n+1, ran)
		}
		require.NoError(t, c.Wait())
		assert.Zero(t, time.Since(begin))
	})
}

func TestOnDisconnectsContextIsBoundedByTheWriteTimeout(t *testing.T) {
	for name, tc := range map[string]struct{ timeout, want time.Duration }{
		"default": {0, 2 * time.Second},
		"given":   {20 * time.Second, 20 * time.Second},
		"off":     {-1, 2 * time.Second},
	} {
		for _, stop := range []bool{true, false} {
			bubble(t, fmt.Sprintf("%s, at a stop: %t", name, stop), func(t *testing.T) {
				type key struct{}
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				cfg.Context = context.WithValue(context.Background(), key{}, "v")
				cfg.WriteTimeout = tc.timeout
				took := make(chan time.Duration, 1)
				cfg.OnDisconnect = func(ctx context.Context, _ net.Conn) error {
					assert.Equal(t, "v", ctx.Value(key{}))
					begin := time.Now()
					deadline, ok := ctx.Deadline()
					assert.True(t, ok)
					assert.Equal(t, begin.Add(tc.want), deadline)
					<-ctx.Done()
					took <- time.Since(begin)
					assert.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
					return reconnect.ErrDoNotReconnect
				}
				c := newClient(t, cfg)
				require.NoError(t, c.Connect())
				if stop {
					c.Cancel(nil)
				} else {
					require.NoError(t, c.Close())
				}
				require.NoError(t, waitDone(t, c))
				assert.Equal(t, tc.want, <-took)
			})
		}
	}
}

func TestOnDisconnectsContextEndsWhenShutdownGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.WriteTimeout = time.Hour
		begin := time.Now()
		cfg.OnDisconnect = func(ctx context.Context, conn net.Conn) error {
			_, err := conn.Write([]byte("nobody reads this"))
			assert.Error(t, err)
			<-ctx.Done()
			assert.Equal(t, time.Second, time.Since(begin))
			assert.ErrorIs(t, ctx.Err(), context.Canceled)
			return ctx.Err()
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, c.Shutdown(ctx), context.DeadlineExceeded)
		require.NoError(t, waitDone(t, c))
		assert.Equal(t, time.Second, time.Since(begin))
	})
}

func TestOnDisconnectThatBeginsAfterShutdownGaveUpFindsItsContextOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pipeConfig(newPipe(t, nil))
		release := make(chan struct{})
		cfg.OnSession = func(context.Context) error { <-release; return nil }
		ran := false
		cfg.OnDisconnect = func(ctx context.Context, _ net.Conn) error {
			ran = true
			assert.Error(t, ctx.Err())
			return nil
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.ErrorIs(t, c.Shutdown(over()), context.Canceled)
		close(release)
		require.NoError(t, waitDone(t, c))
		assert.True(t, ran)
	})
}

func TestReadLeftBehindDoesNotSpinUnderADeadlineThatOnDisconnectSets(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		leave := make(chan struct{})
		l := newCopyLink(t, network, func(cfg *reconnect.Config) {
			cfg.OnSession = func(context.Context) error { <-leave; return nil }
			cfg.OnDisconnect = func(_ context.Context, conn net.Conn) error {
				assert.NoError(t, conn.SetReadDeadline(time.Now()))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				pass(t, 2*stall)
				runtime.ReadMemStats(&after)
				assert.Less(t, after.Mallocs-before.Mallocs, uint64(1000), "each turn allocates its error")
				return nil
			}
		})
		ended := blocked(t, func() error { _, err := readOne(l.Client); return err })
		close(leave)
		require.ErrorIs(t, receive(t, ended), reconnect.ErrClosed)
	})
}

func TestWritesInOnDisconnectAreBoundedByItsContext(t *testing.T) {
	for name, raw := range map[string]bool{"through the client": false, "on the connection": true} {
		bubble(t, name, func(t *testing.T) {
			cfg := pipeConfig(newPipe(t, nil))
			cfg.WriteTimeout = -1
			cfg.OnSession = func(context.Context) error { return nil }
			cfg.WaitReconnect = untilDone
			var c *reconnect.Client
			wrote := make(chan time.Duration, 1)
			cfg.OnDisconnect = func(_ context.Context, conn net.Conn) error {
				var w io.Writer = c
				if raw {
					w = conn
				}
				start := time.Now()
				_, err := w.Write([]byte("bye"))
				assert.Error(t, err)
				wrote <- time.Since(start)
				return nil
			}
			c = newClient(t, cfg)
			require.NoError(t, c.Connect())
			assert.Equal(t, 2*time.Second, <-wrote)
			require.NoError(t, c.Shutdown(context.Background()))
		})
	}
}

func TestReadsInOnDisconnectAreBoundedByItsContextUnlessTheStopHasEndedThem(t *testing.T) {
	const grace = 3 * time.Second
	for name, raw := range map[string]bool{"through the client": false, "on the connection": true} {
		for how, want := range map[string]time.Duration{"session over": grace, "stop": 0} {
			bubble(t, name+", "+how, func(t *testing.T) {
				cfg := pipeConfig(newPipe(t, nil))
				cfg.ReadTimeout, cfg.WriteTimeout = time.Hour, grace
				over, read := make(chan struct{}), make(chan struct{})
				var c *reconnect.Client
				var took time.Duration
				cfg.OnSession = func(ctx context.Context) error {
					select {
					case <-ctx.Done():
					case <-over:
					}
					return nil
				}
				var once sync.Once
				cfg.OnDisconnect = func(_ context.Context, conn net.Conn) error {
					once.Do(func() {
						var r io.Reader = c
						if raw {
							r = conn
						}
						start := time.Now()
						_, err := r.Read(make([]byte, 1))
						took = time.Since(start)
						assert.Error(t, err)
						close(read)
					})
					return nil
				}
				c = newClient(t, cfg)
				require.NoError(t, c.Connect())
				synctest.Wait()
				require.NoError(t, c.SetReadDeadline(time.Minute))
				if how == "stop" {
					c.Cancel(nil)
				} else {
					close(over)
				}
				<-read
				assert.InDelta(t, want, took, float64(grace/16))
				require.NoError(t, c.Shutdown(context.Background()))
			})
		}
	}
}

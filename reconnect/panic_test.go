package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// assertCleanEnd demands of a client of plant's that it has stopped, once, that
// each connection that was up came down, and that none is left.
func assertCleanEnd(t *testing.T, c *reconnect.Client, p *testutil.PipeListener, rec *testutil.Recorder) {
	t.Helper()
	assert.Equal(t, reconnect.Stopped, c.State())
	assert.Equal(t, rec.Count("OnState "+reconnect.Connected.String()), rec.Count("OnDisconnect"))
	assert.Equal(t, 1, rec.Count("OnState "+reconnect.Stopped.String()))
	assert.Zero(t, p.Open())
}

func TestPanicInACallbackStopsTheClientWithItsStack(t *testing.T) {
	for _, in := range callbacksToPlant() {
		bubble(t, in, func(t *testing.T) {
			p := newPipe(t, nil)
			rec := testutil.NewRecorder()
			c := newClient(t, plant(p, rec, in, func() { panic("boom " + in) }))
			first := c.Connect()
			err := waitDone(t, c)
			requirePanicError(t, err, "boom "+in)
			require.True(t, reconnect.IsFatal(err))
			switch in {
			case "Dialer", "OnConnect", "OnState " + reconnect.Connecting.String():
				requirePanicError(t, first, "boom "+in)
			}
			assertCleanEnd(t, c, p, rec)
		})
	}
}

func TestPanicGoesToOnErrorWhichMayGoOn(t *testing.T) {
	for _, in := range callbacksToPlant() {
		if in == "OnError" || in == "WaitReconnect" {
			continue // its own, and what always stops
		}
		bubble(t, in, func(t *testing.T) {
			p := newPipe(t, nil)
			rec := testutil.NewRecorder()
			cfg := plant(p, rec, in, func() { panic("boom") })
			told := make(chan error, 1)
			cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
				if !errors.Is(err, io.EOF) {
					told <- err
				}
				return nil
			}
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			requirePanicError(t, receive(t, told), "boom")
			require.NoError(t, rec.WaitFor(guarded(t), "OnSession", 3))
			require.NoError(t, c.Err())
			require.NoError(t, c.Shutdown(guarded(t)))
			assertCleanEnd(t, c, p, rec)
		})
	}
}

func TestPanicOrGoexitDuringTheStopStillEndsTheClient(t *testing.T) {
	for name, do := range map[string]func(){"panic": func() { panic("boom") }, "goexit": runtime.Goexit} {
		for _, in := range []string{"OnSession", "OnDisconnect", "OnState", "worker", "unconnected"} {
			bubble(t, in+" "+name, func(t *testing.T) {
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				at := func(name string) {
					if name == in {
						do()
					}
				}
				cfg.OnSession = func(ctx context.Context) error { <-ctx.Done(); at("OnSession"); return nil }
				cfg.OnDisconnect = func(context.Context, net.Conn) error { at("OnDisconnect"); return nil }
				cfg.OnState = func(_, to reconnect.State) {
					if to == reconnect.Stopped {
						at("OnState")
						at("unconnected")
					}
				}
				c := newClient(t, cfg)
				c.Go(func(ctx context.Context) error { <-ctx.Done(); at("worker"); return nil })
				if in != "unconnected" {
					require.NoError(t, c.Connect())
				}
				synctest.Wait()
				c.Cancel(nil)
				_ = waitDone(t, c)
				assert.Equal(t, reconnect.Stopped, c.State())
				assert.Zero(t, p.Open())
			})
		}
	}
}

func TestPanicInAWorkerOrCatcherIsAnErrorWithItsStack(t *testing.T) {
	boom := func(context.Context) error { panic("boom") }
	for name, start := range map[string]func(*reconnect.Client){
		"worker": func(c *reconnect.Client) { c.Go(boom) },
		"caught": func(c *reconnect.Client) { c.GoCatch(boom, func(_ context.Context, err error) error { return err }) },
		"in a catcher": func(c *reconnect.Client) {
			c.GoCatch(func(context.Context) error { return io.EOF }, func(context.Context, error) error { panic("boom") })
		},
	} {
		for _, connected := range []bool{true, false} {
			bubble(t, fmt.Sprintf("%s, connected: %t", name, connected), func(t *testing.T) {
				p := newPipe(t, nil)
				c := newClient(t, pipeConfig(p))
				if connected {
					require.NoError(t, c.Connect())
				}
				start(c)
				requirePanicError(t, waitDone(t, c), "boom")
				assert.Zero(t, p.Open())
			})
		}
	}
}

func TestGoexitInACallbackEndsTheClientWithAnError(t *testing.T) {
	for _, in := range callbacksToPlant() {
		bubble(t, in, func(t *testing.T) {
			p := newPipe(t, nil)
			rec := testutil.NewRecorder()
			c := newClient(t, plant(p, rec, in, runtime.Goexit))
			returned := make(chan error, 1)
			go func() {
				defer close(returned)
				returned <- c.Connect()
			}()
			first, ok := <-returned
			require.True(t, ok, "Connect's caller was taken down")
			err := waitDone(t, c)
			require.Error(t, err)
			require.ErrorContains(t, err, "Goexit")
			switch in {
			case "Dialer", "OnConnect", "OnState " + reconnect.Connecting.String():
				require.ErrorIs(t, first, err)
			}
			require.Equal(t, err, c.Shutdown(guarded(t)))
			assertCleanEnd(t, c, p, rec)
		})
	}
}

func TestGoexitOfATestsFailNowDoesNotTakeConnectDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.OnConnect = func(context.Context, net.Conn) error { runtime.Goexit(); return nil }
		cfg.OnDisconnect = func(context.Context, net.Conn) error {
			t.Error("OnConnect hadn't succeeded")
			return nil
		}
		c := newClient(t, cfg)
		require.Error(t, c.Connect())
		require.Error(t, waitDone(t, c))
		assert.Zero(t, p.Open())
	})
}

func TestEveryMethodIsSafeAroundAGoexitInOnSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.OnSession = func(context.Context) error { runtime.Goexit(); return nil }
		c := newClient(t, cfg)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { assert.Error(t, c.Wait()) })
		}
		_ = c.Connect()
		wg.Wait()
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, reconnect.ErrClosed)
		require.ErrorIs(t, c.Connect(), reconnect.ErrClosed)
		require.ErrorIs(t, c.Reconnect(), reconnect.ErrClosed)
		require.ErrorIs(t, c.Reload(), reconnect.ErrClosed)
	})
}

func TestCatcherMayForgiveAWorkersPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, pipeConfig(newPipe(t, nil)))
		require.NoError(t, c.Connect())
		c.GoCatch(func(context.Context) error { panic("boom") }, func(context.Context, error) error { return nil })
		synctest.Wait()
		require.NoError(t, c.Err())
	})
}

func TestGoexitInAWorkerOrCatcherEndsTheClientWithAnError(t *testing.T) {
	exit := func(context.Context) error { runtime.Goexit(); return nil }
	for name, start := range map[string]func(*reconnect.Client){
		"worker": func(c *reconnect.Client) { c.Go(exit) },
		"in a catcher": func(c *reconnect.Client) {
			c.GoCatch(func(context.Context) error { return io.EOF }, func(ctx context.Context, _ error) error { return exit(ctx) })
		},
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			c := newClient(t, pipeConfig(p))
			require.NoError(t, c.Connect())
			start(c)
			require.ErrorContains(t, waitDone(t, c), "Goexit")
			assert.Zero(t, p.Open())
		})
	}
}

func TestClientGoesOnAfterAPanicInOnSessionThoughDialsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		waits := 0
		cfg.WaitReconnect = func(context.Context) error {
			assert.NotContains(t, string(debug.Stack()), "panic(", "what has panicked is still on the stack")
			if waits++; waits > 3 {
				p.Refuse(nil)
			}
			return nil
		}
		cfg.OnError = func(context.Context, net.Conn, error) error { return nil }
		sessions := 0
		cfg.OnSession = func(ctx context.Context) error {
			if sessions++; sessions > 1 {
				return untilDone(ctx)
			}
			p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
			panic("boom")
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		synctest.Wait()
		require.Equal(t, reconnect.Connected, c.State())
		st := c.Status()
		require.EqualValues(t, 2, st.Sessions)
		require.EqualValues(t, 3, st.Failures)
		require.NoError(t, c.Shutdown(context.Background()))
		require.Equal(t, 2, sessions)
		require.Zero(t, p.Open())
	})
}

package reconnect_test

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// recordedConfig notes every callback as a span, and stops the client after a
// number of sessions.
func recordedConfig(p *testutil.PipeListener, rec *testutil.Recorder, sessions int) *reconnect.Config {
	cfg := pipeConfig(p)
	n := 0
	cfg.OnConnect = func(context.Context, net.Conn) error {
		defer rec.Enter("OnConnect")()
		return nil
	}
	cfg.OnSession = func(context.Context) error {
		defer rec.Enter("OnSession")()
		if n++; n == sessions {
			return reconnect.ErrDoNotReconnect
		}
		return nil
	}
	cfg.OnDisconnect = func(_ context.Context, conn net.Conn) error {
		defer rec.Enter("OnDisconnect")()
		if conn.(*testutil.FaultConn).Closes() != 0 {
			rec.Record("closed before OnDisconnect")
		}
		return nil
	}
	cfg.WaitReconnect = func(context.Context) error {
		defer rec.Enter("WaitReconnect")()
		return nil
	}
	return cfg
}

func TestConnectionFlowsFromDialToCloseAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := testutil.NewRecorder()
		p := newPipe(t, nil)
		cfg := recordedConfig(p, rec, 2)
		cfg.OnState = func(from, to reconnect.State) {
			defer rec.Enter(from.String() + ">" + to.String())()
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.NoError(t, waitDone(t, c))

		turn := func(from reconnect.State) []string {
			return []string{
				from.String() + ">" + reconnect.Connecting.String(), "OnConnect",
				reconnect.Connecting.String() + ">" + reconnect.Connected.String(),
				"OnSession", "OnDisconnect",
			}
		}
		want := slices.Concat(turn(reconnect.Idle),
			[]string{reconnect.Connected.String() + ">" + reconnect.Waiting.String(), "WaitReconnect"},
			turn(reconnect.Waiting),
			[]string{reconnect.Connected.String() + ">" + reconnect.Stopped.String()})
		rec.AssertExactly(t, want...)
		rec.AssertNoOverlap(t)
		assert.Zero(t, p.Open())
	})
}

func TestStatesFollowTheFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Hang(true)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Minute)
		c := newClient(t, cfg)
		require.Equal(t, reconnect.Idle, c.State())
		wait := make(chan struct{})
		go func() { _ = c.Connect(); close(wait) }()
		synctest.Wait()
		require.Equal(t, reconnect.Connecting, c.State())
		<-wait
		synctest.Wait()
		require.Equal(t, reconnect.Waiting, c.State())
		p.Hang(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, reconnect.Connected, c.State())
		require.NoError(t, c.Shutdown(context.Background()))
		require.Equal(t, reconnect.Stopped, c.State())
	})
}

func TestOnStateSeesEveryTransitionInOrder(t *testing.T) {
	for name, connect := range map[string]bool{"connected": true, "never connected": false} {
		bubble(t, name, func(t *testing.T) {
			var moves []string
			last := reconnect.Idle
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			cfg.OnState = func(from, to reconnect.State) {
				assert.Equal(t, last, from)
				assert.NotEqual(t, from, to)
				last = to
				moves = append(moves, to.String())
			}
			c := newClient(t, cfg)
			want := []string{"stopped"}
			if connect {
				require.NoError(t, c.Connect())
				require.NoError(t, c.Close())
				synctest.Wait()
				p.Refuse(io.ErrUnexpectedEOF)
				cfg.WaitReconnect = nil
				require.NoError(t, c.Reconnect()) // fails, and then again and again: so stop
				require.NoError(t, c.Reload())
				synctest.Wait()
				want = []string{"connecting", "connected", "waiting", "connecting", "connected", "connecting"}
			}
			require.NoError(t, c.Shutdown(context.Background()))
			require.GreaterOrEqual(t, len(moves), len(want))
			if connect {
				assert.Equal(t, want, moves[:len(want)])
			}
			assert.Equal(t, "stopped", moves[len(moves)-1])
		})
	}
}

func TestCallbacksNeverOverlap(t *testing.T) {
	p := newPipe(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) })
	rec := testutil.NewRecorder()
	cfg := recordedConfig(p, rec, 1000)
	var c *reconnect.Client
	cfg.OnSession = func(context.Context) error {
		defer rec.Enter("OnSession")()
		_, _ = c.Write([]byte("x"))
		_, err := c.Read(make([]byte, 1))
		return err
	}
	cfg.OnState = func(_, _ reconnect.State) { defer rec.Enter("OnState")() }
	cfg.OnError = func(context.Context, net.Conn, error) error { defer rec.Enter("OnError")(); return nil }
	c = newClient(t, cfg)
	require.NoError(t, c.Connect())
	var wg sync.WaitGroup
	for _, do := range []func(){
		func() { _ = c.Reconnect() },
		func() { _ = c.Close() },
		func() { p.HangUp() },
		func() { p.Refuse(testutil.ConnRefused("tcp", pipeRemote)); p.Refuse(nil) },
		func() { assert.NoError(t, c.Reload()) },
	} {
		wg.Go(func() {
			for range 100 {
				do()
			}
		})
	}
	wg.Wait()
	require.NoError(t, rec.WaitFor(guarded(t), "OnSession", 20))
	require.NoError(t, c.Shutdown(guarded(t)))
	rec.AssertNoOverlap(t)
	assert.Equal(t, rec.Count("OnConnect"), rec.Count("OnDisconnect"))
	assert.Zero(t, p.Open())
}

func TestCallbacksMayCallEveryMethod(t *testing.T) {
	callAll := func(c *reconnect.Client) {
		_ = c.Connect()
		_ = c.Config()
		_ = c.Context()
		_ = c.Err()
		_ = c.Done()
		_ = c.State()
		_ = c.Status()
		_ = c.LocalAddr()
		_ = c.RemoteAddr()
		_ = c.SetDeadline(time.Second, 0)
		_ = c.SetReadDeadline(time.Second)
		_ = c.SetWriteDeadline(time.Second)
		_ = c.ResetReadDeadline()
		_ = c.ResetWriteDeadline()
		_ = c.ResetDeadline()
		_, _ = c.Read(nil)
		_, _ = c.Write(nil)
		c.Go(func(context.Context) error { return nil })
		c.GoCatch(func(context.Context) error { return io.EOF }, reconnect.NewCatchFunc(io.EOF))
		_, _ = c.WithDebug(c.RemoteAddr())
		_, _ = c.WithInfo(c.RemoteAddr())
		_, _ = c.WithError(c.RemoteAddr(), io.EOF)
		_ = c.Reload()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = c.WaitConnected(ctx)
		_, _ = c.WaitStatus(ctx, 1<<60)
	}
	last := func(c *reconnect.Client) {
		_ = c.Reconnect()
		c.Cancel(nil)
		callAll(c)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = c.Shutdown(ctx)
	}
	for _, stopIn := range []string{"Dialer", "OnConnect", "OnSession", "OnDisconnect", "OnError", "OnState", "WaitReconnect", "worker"} {
		bubble(t, stopIn, func(t *testing.T) {
			p := newPipe(t, testutil.Echo)
			rec := testutil.NewRecorder()
			var c *reconnect.Client
			in := func(name string) {
				rec.Record(name)
				callAll(c)
				if rec.Count(name)%4 == 0 {
					_ = c.Close()
				}
				if name == stopIn && rec.Count(name) == 3 {
					last(c)
				}
			}
			worker := func(context.Context) error { in("worker"); return nil }
			c = newClient(t, &reconnect.Config{
				Remote: pipeRemote,
				Dialer: funcDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
					in("Dialer")
					return p.DialContext(ctx, network, address)
				}),
				OnConnect:     func(context.Context, net.Conn) error { in("OnConnect"); return nil },
				OnSession:     func(context.Context) error { in("OnSession"); c.Go(worker); return io.ErrUnexpectedEOF },
				OnDisconnect:  func(context.Context, net.Conn) error { in("OnDisconnect"); return nil },
				OnError:       func(context.Context, net.Conn, error) error { in("OnError"); return nil },
				OnState:       func(_, _ reconnect.State) { in("OnState") },
				WaitReconnect: func(context.Context) error { in("WaitReconnect"); return nil },
			})
			_ = c.Connect()
			require.NoError(t, waitDone(t, c))
			assert.GreaterOrEqual(t, rec.Count(stopIn), 3)
			assert.Zero(t, p.Open())
		})
	}
}

func TestCallbacksRunOnTheLoopAndNotOnConnectsCaller(t *testing.T) {
	p := newPipe(t, nil)
	var mu sync.Mutex
	seen := make(map[string]map[string]bool)
	note := func(callback string) {
		mu.Lock()
		defer mu.Unlock()
		if seen[callback] == nil {
			seen[callback] = make(map[string]bool)
		}
		seen[callback][goroutineID()] = true
	}
	sessions := 0
	c := newClient(t, &reconnect.Config{
		Remote: pipeRemote,
		Dialer: funcDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			note("Dialer")
			return p.DialContext(ctx, network, address)
		}),
		OnConnect: func(context.Context, net.Conn) error { note("OnConnect"); return nil },
		OnSession: func(context.Context) error {
			note("OnSession")
			if sessions++; sessions == 3 {
				return reconnect.ErrDoNotReconnect
			}
			return io.EOF
		},
		OnDisconnect:  func(context.Context, net.Conn) error { note("OnDisconnect"); return nil },
		OnError:       func(context.Context, net.Conn, error) error { note("OnError"); return nil },
		OnState:       func(_, _ reconnect.State) { note("OnState") },
		WaitReconnect: func(context.Context) error { note("WaitReconnect"); return nil },
	})
	_ = c.Connect()
	require.NoError(t, waitDone(t, c))

	for _, name := range []string{"Dialer", "OnConnect", "OnSession", "OnDisconnect", "OnError", "OnState", "WaitReconnect"} {
		assert.NotEmpty(t, seen[name], name)
		assert.NotContains(t, seen[name], goroutineID(), name)
	}
	assert.Equal(t, seen["Dialer"], seen["OnConnect"])
	assert.Equal(t, seen["OnSession"], seen["OnDisconnect"])
}

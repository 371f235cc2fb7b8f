package reconnect_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// callbacks are the names that answering and noting know, in the order of the
// flow. OnSocket isn't among them: a pipe has no socket.
func callbacks() []string {
	return []string{"Dialer", "OnConnect", "OnSession", "OnDisconnect", "OnError", "OnState", "WaitReconnect"}
}

// answering makes a Config whose callbacks return what at does for their name.
// Those that judge and watch, OnError and OnState, are left out.
func answering(p *testutil.PipeListener, at func(callback string) error) *reconnect.Config {
	return &reconnect.Config{
		Remote: pipeRemote,
		Dialer: dialer.Func(func(ctx context.Context, network, address string) (net.Conn, error) {
			if err := at("Dialer"); err != nil {
				return nil, err
			}
			return p.DialContext(ctx, network, address)
		}),
		OnConnect:     func(context.Context, net.Conn) error { return at("OnConnect") },
		OnSession:     func(context.Context) error { return at("OnSession") },
		OnDisconnect:  func(context.Context, net.Conn) error { return at("OnDisconnect") },
		WaitReconnect: func(context.Context) error { return at("WaitReconnect") },
	}
}

// noting makes a Config whose callbacks, all of them, say their name to note.
// Sessions end at once, with an error that is worth a retry.
func noting(p *testutil.PipeListener, note func(callback string)) *reconnect.Config {
	cfg := answering(p, func(callback string) error {
		note(callback)
		if callback == "OnSession" {
			return io.EOF
		}
		return nil
	})
	cfg.OnError = func(context.Context, net.Conn, error) error { note("OnError"); return nil }
	cfg.OnState = func(_, _ reconnect.State) { note("OnState") }
	return cfg
}

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

// plant makes one callback of a Config do something the first time it runs.
// The rest of the Config records what happens.
func plant(p *testutil.PipeListener, rec *testutil.Recorder, in string, do func()) *reconnect.Config {
	did := false
	at := func(name string) {
		rec.Record(name)
		if name == in && !did {
			did = true
			do()
		}
	}
	cfg := noting(p, at)
	cfg.OnState = func(_, to reconnect.State) { at("OnState " + to.String()) }
	if in != "OnError" {
		cfg.OnError = nil
	}
	return cfg
}

// callbacksToPlant are all that run on the loop's goroutine.
func callbacksToPlant() []string {
	names := []string{"Dialer", "OnConnect", "OnSession", "OnDisconnect", "OnError", "WaitReconnect"}
	for _, s := range []reconnect.State{reconnect.Connecting, reconnect.Connected, reconnect.Waiting} {
		names = append(names, "OnState "+s.String())
	}
	return names
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

// callEverything runs a client whose callbacks and workers call every method. One
// of them stops it, the third time it runs.
func callEverything(t *testing.T, stopIn string, edit func(cfg *reconnect.Config, in func(callback string))) {
	p := newPipe(t, testutil.Echo)
	rec := testutil.NewRecorder()
	var c *reconnect.Client
	in := func(name string) {
		rec.Record(name)
		callAll(c, harmlessMethods(0))
		if rec.Count(name)%4 == 0 {
			_ = c.Close()
		}
		if name == stopIn && rec.Count(name) == 3 {
			callAll(c, droppingMethods())
			callAll(c, stoppingMethods())
			callAll(c, harmlessMethods(0))
			callAll(c, stoppingMethods())
		}
	}
	worker := func(context.Context) error { in("worker"); return nil }
	cfg := noting(p, in)
	cfg.OnSession = func(context.Context) error { in("OnSession"); c.Go(worker); return io.ErrUnexpectedEOF }
	if edit != nil {
		edit(cfg, in)
	}
	c = newClient(t, cfg)
	_ = c.Connect()
	require.NoError(t, waitDone(t, c))
	assert.GreaterOrEqual(t, rec.Count(stopIn), 3)
	assert.Zero(t, p.Open())
}

func TestCallbacksMayCallEveryMethod(t *testing.T) {
	for _, stopIn := range append(callbacks(), "worker") {
		bubble(t, stopIn, func(t *testing.T) { callEverything(t, stopIn, nil) })
	}
	onStreams(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		for _, stopIn := range []string{"OnSocket", "OnSession"} {
			t.Run(stopIn, func(t *testing.T) {
				callEverything(t, stopIn, func(cfg *reconnect.Config, in func(string)) {
					cfg.Remote, cfg.Dialer = s.Remote(), nil
					cfg.OnSocket = func(context.Context, syscall.RawConn) error { in("OnSocket"); return nil }
				})
				require.NoError(t, s.WaitOpen(guarded(t), 0))
			})
		}
	})
}

// goroutineID tells goroutines apart.
func goroutineID() string {
	buf := make([]byte, 64)
	return string(bytes.Fields(buf[:runtime.Stack(buf, false)])[1])
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
	cfg := noting(p, note)
	cfg.OnSession = func(context.Context) error {
		note("OnSession")
		if sessions++; sessions == 3 {
			return reconnect.ErrDoNotReconnect
		}
		return io.EOF
	}
	c := newClient(t, cfg)
	_ = c.Connect()
	require.NoError(t, waitDone(t, c))

	for _, name := range callbacks() {
		assert.NotEmpty(t, seen[name], name)
		assert.NotContains(t, seen[name], goroutineID(), name)
	}
	assert.Equal(t, seen["Dialer"], seen["OnConnect"])
	assert.Equal(t, seen["OnSession"], seen["OnDisconnect"])
}

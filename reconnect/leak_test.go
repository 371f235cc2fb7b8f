package reconnect_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestFiveHundredReconnectsLeaveNoGoroutineAndNoDescriptor(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		testutil.CheckLeaks(t)
		s := testutil.NewServer(t, network, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) })
		rec := testutil.NewRecorder()
		var c *reconnect.Client
		c = newClient(t, &reconnect.Config{
			Remote: s.Remote(), WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
			OnSession: func(context.Context) error {
				_, err := c.Write([]byte("x"))
				if err == nil {
					_, err = c.Read(make([]byte, 1))
				}
				if err == nil {
					err = io.ErrUnexpectedEOF
				}
				rec.Record("session")
				return err
			},
		})
		require.NoError(t, c.Connect())
		require.NoError(t, rec.WaitFor(guarded(t), "session", 10))
		descriptors, ok := testutil.OpenDescriptors()
		goroutines := runtime.NumGoroutine()
		require.NoError(t, rec.WaitFor(guarded(t), "session", 510))
		// A few come and go: the server's handlers, and the sockets of
		// the session that begins.
		const slack = 10
		assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines+slack)
		if now, _ := testutil.OpenDescriptors(); ok {
			assert.LessOrEqual(t, now, descriptors+slack)
		}
		require.NoError(t, c.Shutdown(guarded(t)))
		require.NoError(t, s.WaitOpen(guarded(t), 0))
	})
}

func TestFailedAttemptsLeaveNothing(t *testing.T) {
	testutil.CheckLeaks(t)
	rec := testutil.NewRecorder()
	c := newClient(t, &reconnect.Config{
		Remote:        freeRemote(t),
		Alternates:    []string{"/nowhere/at/all.sock", freeRemote(t)},
		WaitReconnect: func(context.Context) error { rec.Record("wait"); return nil },
	})
	require.NoError(t, c.Connect())
	require.NoError(t, rec.WaitFor(guarded(t), "wait", 100))
	require.NoError(t, c.Shutdown(guarded(t)))
}

// TestEveryMethodAtOnceWhileTheServerFlaps is for the race detector, and for
// whatever gets stuck or is left behind.
func TestEveryMethodAtOnceWhileTheServerFlaps(t *testing.T) {
	testutil.CheckLeaks(t)
	s := testutil.NewEchoServer(t, "tcp")
	rec := testutil.NewRecorder()
	var overlap atomic.Int32
	once := func() func() {
		if overlap.Add(1) != 1 {
			t.Error("callbacks overlap")
		}
		return func() { overlap.Add(-1) }
	}
	var c *reconnect.Client
	c = newClient(t, &reconnect.Config{
		Remote:        s.Remote(),
		WaitReconnect: reconnect.NewConstantWaiter(time.Millisecond),
		OnConnect:     func(context.Context, net.Conn) error { defer once()(); rec.Record("up"); return nil },
		OnSession: func(context.Context) error {
			defer once()()
			buf := make([]byte, 16)
			for {
				if _, err := c.Read(buf); err != nil {
					return err
				}
			}
		},
		OnDisconnect: func(context.Context, net.Conn) error { defer once()(); rec.Record("down"); return nil },
		OnError:      func(context.Context, net.Conn, error) error { return nil },
		OnState:      func(_, _ reconnect.State) { defer once()() },
	})
	require.NoError(t, c.Connect())

	var wg sync.WaitGroup
	again := func(do func()) {
		wg.Go(func() {
			for over := false; !over; runtime.Gosched() {
				over = isDone(c) // once more after the end
				do()
			}
		})
	}
	methods := append(harmlessMethods(8), droppingMethods()...)
	methods = append(methods, []method{
		{"Connect", func(c *reconnect.Client) {
			if err := c.Connect(); !errors.Is(err, reconnect.ErrClosed) {
				assert.ErrorIs(t, err, reconnect.ErrRunning)
			}
		}},
		{"SetReadDeadline", func(c *reconnect.Client) { _ = c.SetReadDeadline(time.Millisecond) }},
		{"WaitConnected", func(c *reconnect.Client) { _ = c.WaitConnected(context.Background()) }},
		{"Go", func(c *reconnect.Client) {
			ran := make(chan struct{})
			c.Go(func(context.Context) error { close(ran); return io.EOF })
			select {
			case <-ran:
			case <-c.Done():
			}
		}},
	}...)
	for i := range max(64, len(methods)) {
		do := methods[i%len(methods)].call
		again(func() { do(c) })
	}
	again(func() {
		s.HangUp()
		s.Reset()
		assert.NoError(t, s.Restart())
		_ = s.WaitAccepted(c.Context(), s.Accepted()+3)
	})
	require.NoError(t, rec.WaitFor(guarded(t), "up", 20))
	require.NoError(t, c.Err())
	for _, stop := range append(stoppingMethods(), waitMethod) {
		again(func() { stop.call(c) })
	}
	wg.Wait()
	require.NoError(t, c.Shutdown(guarded(t)))
	rec.AssertPaired(t, "up", "down")
	require.NoError(t, s.WaitOpen(guarded(t), 0))
}

// isDone tells if the client is done, without waiting.
func isDone(c *reconnect.Client) bool {
	select {
	case <-c.Done():
		return true
	default:
		return false
	}
}

func TestAnErrorDoesNotKeepTheClientThatItComesFrom(t *testing.T) {
	p := newPipe(t, nil)
	p.Refuse(io.ErrUnexpectedEOF)
	stopped := func() (weak.Pointer[reconnect.Client], error) {
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewDoNotReconnectWaiter(nil)
		cfg.DialTimeout = -1 // the runtime may keep what a stopped timer refers to
		c := reconnect.Must(cfg)
		_ = c.Connect()
		waitDone(t, c)
		return weak.Make(c), c.Status().LastError
	}
	client, err := stopped()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	for range 100 {
		if client.Value() == nil {
			break
		}
		runtime.GC()
	}
	require.True(t, client.Value() == nil)
	runtime.KeepAlive(err)
}

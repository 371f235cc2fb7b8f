package reconnect_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	gone, goneNow := context.WithCancel(context.Background())
	goneNow()
	methods := []func(){
		func() { _, _ = c.Read(make([]byte, 8)) },
		func() { _, _ = c.Write([]byte("hello")) },
		func() { _ = c.Close() },
		func() { _ = c.Reconnect() },
		func() { _ = c.Reload() },
		func() { _ = c.SetDeadline(time.Second, 0) },
		func() { _ = c.SetReadDeadline(time.Millisecond) },
		func() { _ = c.SetWriteDeadline(-1) },
		func() { _ = c.ResetDeadline(); _ = c.ResetReadDeadline(); _ = c.ResetWriteDeadline() },
		func() { _, _ = c.LocalAddr(), c.RemoteAddr() },
		func() { _, _ = c.State(), c.Status() },
		func() { _ = c.WaitConnected(ctx) },
		func() { _, _ = c.WaitStatus(gone, 1<<60) },
		func() { _, _, _ = c.Err(), c.Done(), c.Context() },
		func() { assert.ErrorIs(t, c.Connect(), reconnect.ErrRunning) },
		func() {
			done := make(chan struct{})
			c.Go(func(context.Context) error { close(done); return io.EOF })
			<-done
		},
	}
	for i := range 64 {
		do := methods[i%len(methods)]
		wg.Go(func() {
			for ctx.Err() == nil {
				do()
				runtime.Gosched()
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			s.HangUp()
			s.Reset()
			assert.NoError(t, s.Restart())
			_ = s.WaitAccepted(ctx, s.Accepted()+3)
		}
	})
	wg.Wait()
	require.NoError(t, c.Err())
	require.NoError(t, c.Shutdown(guarded(t)))
	rec.AssertPaired(t, "up", "down")
	assert.Positive(t, rec.Count("up"))
	require.NoError(t, s.WaitOpen(guarded(t), 0))
}

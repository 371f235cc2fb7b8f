package reconnect_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// countSockets counts its calls, and looks at the socket.
func countSockets(t testing.TB, calls *atomic.Int32) func(context.Context, syscall.RawConn) error {
	return func(_ context.Context, raw syscall.RawConn) error {
		calls.Add(1)
		return raw.Control(func(fd uintptr) { assert.NotZero(t, fd) })
	}
}

func TestExportDialerCallsOnSocketForTCPAndUnix(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		var calls atomic.Int32
		cfg := reconnect.Config{OnSocket: countSockets(t, &calls)}
		d := cfg.ExportDialer()
		conn, err := d.DialContext(guarded(t), network, s.Addr().String())
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		assert.EqualValues(t, 1, calls.Load())

		broken := errors.New("no such option")
		cfg.OnSocket = func(context.Context, syscall.RawConn) error { return broken }
		d = cfg.ExportDialer()
		_, err = d.DialContext(guarded(t), network, s.Addr().String())
		require.ErrorIs(t, err, broken)
	})
}

func TestClientCallsOnSocketForTCPAndUnix(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		var calls atomic.Int32
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), OnSocket: countSockets(t, &calls)})
		require.NoError(t, c.Connect())
		require.NoError(t, c.WaitConnected(guarded(t)))
		assert.EqualValues(t, 1, calls.Load())
	})
}

func TestOnSocketThatFailsIsAFailedAttempt(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for name, tc := range map[string]struct {
			fail  func() error
			fatal bool
		}{
			"errno":  {func() error { return syscall.EMFILE }, false},
			"goexit": {func() error { runtime.Goexit(); return nil }, false},
			"panic":  {func() error { panic("boom") }, true},
			"error":  {func() error { return errors.New("odd") }, true},
			"stop":   {func() error { return reconnect.ErrDoNotReconnect }, true},
		} {
			t.Run(name, func(t *testing.T) {
				testutil.CheckLeaks(t)
				s := testutil.NewEchoServer(t, network)
				calls := 0
				c := newClient(t, &reconnect.Config{
					Remote:        s.Remote(),
					WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
					OnSocket: func(context.Context, syscall.RawConn) error {
						if calls++; calls < 3 {
							return tc.fail()
						}
						return nil
					},
				})
				err := c.Connect()
				if tc.fatal {
					require.Error(t, err)
					require.Error(t, waitDone(t, c))
					return
				}
				require.NoError(t, err)
				require.NoError(t, c.WaitConnected(guarded(t)))
				require.EqualValues(t, 2, c.Status().Failures)
			})
		}
	})
}

func TestOnSocketNeverOverlapsWithAnotherCallback(t *testing.T) {
	s := testutil.NewEchoServer(t, "tcp")
	rec := testutil.NewRecorder()
	_, port, err := net.SplitHostPort(s.Addr().String())
	require.NoError(t, err)
	cfg := &reconnect.Config{
		Remote:        net.JoinHostPort("localhost", port), // more than one address in most places
		WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
		OnSocket: func(context.Context, syscall.RawConn) error {
			defer rec.Enter("OnSocket")()
			return nil
		},
		OnConnect: func(context.Context, net.Conn) error { defer rec.Enter("OnConnect")(); return nil },
		OnSession: func(context.Context) error { defer rec.Enter("OnSession")(); return nil },
		OnState:   func(_, _ reconnect.State) { defer rec.Enter("OnState")() },
	}
	c := newClient(t, cfg)
	require.NoError(t, c.Connect())
	require.NoError(t, rec.WaitFor(guarded(t), "OnSession", 20))
	require.NoError(t, c.Shutdown(guarded(t)))
	rec.AssertNoOverlap(t)
}

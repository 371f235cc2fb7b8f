package reconnect_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestOnConnectSeesTheDialledConnection(t *testing.T) {
	cert, pool := certificate(t, "server.test", time.Hour)
	serverTLS := &tls.Config{Certificates: []tls.Certificate{cert}}
	secure := func(conn net.Conn) { testutil.Echo(tls.Server(conn, serverTLS)) }

	for name, tc := range map[string]struct {
		network string
		handle  func(net.Conn)
		tls     *tls.Config
		check   func(net.Conn) bool
	}{
		"*net.TCPConn":  {"tcp", testutil.Echo, nil, func(c net.Conn) bool { _, ok := c.(*net.TCPConn); return ok }},
		"*net.UnixConn": {"unix", testutil.Echo, nil, func(c net.Conn) bool { _, ok := c.(*net.UnixConn); return ok }},
		"*tls.Conn": {"tcp", secure, &tls.Config{RootCAs: pool}, func(c net.Conn) bool {
			s, ok := c.(*tls.Conn)
			return ok && s.ConnectionState().HandshakeComplete
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := testutil.NewServer(t, tc.network, tc.handle)
			seen := make(chan net.Conn, 3)
			c := newClient(t, &reconnect.Config{
				Remote: s.Remote(), TLSConfig: tc.tls,
				OnConnect: func(ctx context.Context, conn net.Conn) error {
					assert.Same(t, conn, reconnect.ConnFrom(ctx))
					seen <- conn
					return nil
				},
				OnSession: func(ctx context.Context) error {
					seen <- reconnect.ConnFrom(ctx)
					<-ctx.Done()
					return ctx.Err()
				},
				OnDisconnect: func(ctx context.Context, conn net.Conn) error {
					assert.Same(t, conn, reconnect.ConnFrom(ctx))
					seen <- conn
					return nil
				},
			})
			require.NoError(t, c.Connect())
			first := receive(t, seen)
			assert.True(t, tc.check(first), "%T", first)
			assert.Same(t, first, receive(t, seen))
			require.NoError(t, c.Shutdown(guarded(t)))
			assert.Same(t, first, receive(t, seen))
		})
	}
}

func TestTimeoutsAreArmedWhileOnConnectRunsAndClearedAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.ReadTimeout, cfg.WriteTimeout = 3*time.Second, 5*time.Second
		cfg.OnConnect = func(_ context.Context, conn net.Conn) error {
			f := conn.(*testutil.FaultConn)
			assert.Equal(t, time.Now().Add(3*time.Second), f.ReadDeadline())
			assert.Equal(t, time.Now().Add(5*time.Second), f.WriteDeadline())
			return nil
		}
		inSession := make(chan struct{})
		cfg.OnSession = func(ctx context.Context) error {
			f := reconnect.ConnFrom(ctx).(*testutil.FaultConn)
			assert.Zero(t, f.ReadDeadline())
			assert.Zero(t, f.WriteDeadline())
			close(inSession)
			<-ctx.Done()
			return ctx.Err()
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		<-inSession
	})
}

func TestServerThatAcceptsAndSaysNothingDoesNotHangOnConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, deaf := range []bool{false, true} {
			rec := testutil.NewRecorder()
			cfg := pipeConfig(newPipe(t, nil))
			cfg.ReadTimeout, cfg.WriteTimeout = 3*time.Second, 5*time.Second
			cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Hour)
			cfg.OnConnect = func(_ context.Context, conn net.Conn) (err error) {
				if deaf { // a pipe nobody reads from
					_, err = conn.Write([]byte("hello"))
				} else {
					_, err = conn.Read(make([]byte, 1))
				}
				return err
			}
			cfg.OnError = func(_ context.Context, conn net.Conn, err error) error {
				assert.NotNil(t, conn)
				assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
				rec.Record("OnError")
				return nil
			}
			c := newClient(t, cfg)
			begin := time.Now()
			require.NoError(t, c.Connect())
			want := 3 * time.Second
			if deaf {
				want = 5 * time.Second
			}
			assert.Equal(t, want, time.Since(begin))
			assert.Equal(t, 1, rec.Count("OnError"))
		}
	})
}

func TestFailedOnConnectClosesTheConnectionAndSkipsOnDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		rec := testutil.NewRecorder()
		cfg := pipeConfig(p)
		var conns []*testutil.FaultConn
		cfg.OnConnect = func(_ context.Context, conn net.Conn) error {
			conns = append(conns, conn.(*testutil.FaultConn))
			if len(conns) < 3 {
				return io.EOF
			}
			return reconnect.ErrDoNotReconnect
		}
		unwanted := func(name string) { rec.Record(name) }
		cfg.OnSession = func(context.Context) error { unwanted("OnSession"); return nil }
		cfg.OnDisconnect = func(context.Context, net.Conn) error { unwanted("OnDisconnect"); return nil }
		c := newClient(t, cfg)
		_ = c.Connect()
		require.NoError(t, waitDone(t, c))
		rec.AssertExactly(t)
		require.Len(t, conns, 3)
		for _, conn := range conns {
			assert.Equal(t, 1, conn.Closes())
		}
		assert.Zero(t, p.Open())
	})
}

func TestDeadlinesOfAStopDuringOnConnectOutliveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pipeConfig(newPipe(t, nil)) // nobody reads
		var c *reconnect.Client
		cfg.OnConnect = func(context.Context, net.Conn) error { c.Cancel(nil); return nil }
		ran := false
		cfg.OnDisconnect = func(_ context.Context, conn net.Conn) error {
			ran = true
			begin := time.Now()
			_, err := conn.Read(make([]byte, 1))
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
			assert.Zero(t, time.Since(begin))
			_, err = conn.Write([]byte("goodbye"))
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
			assert.Equal(t, bound, time.Since(begin))
			return nil
		}
		c = newClient(t, cfg)
		require.ErrorIs(t, c.Connect(), reconnect.ErrClosed)
		require.NoError(t, waitDone(t, c))
		require.True(t, ran)
	})
}

func TestReconnectDuringOnConnectIsNoSuccessOfIt(t *testing.T) {
	server := testutil.NewServer(t, "tcp", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	var c *reconnect.Client
	calls, disconnects := 0, 0
	c = newClient(t, &reconnect.Config{
		Remote:      server.Remote(),
		ReadTimeout: -1,
		OnConnect: func(_ context.Context, conn net.Conn) error {
			calls++
			if calls > 1 {
				return reconnect.ErrDoNotReconnect
			}
			assert.NoError(t, c.Reconnect())
			_, err := conn.Read(make([]byte, 1)) // from a server that says nothing
			return err
		},
		OnDisconnect: func(context.Context, net.Conn) error {
			disconnects++
			return nil
		},
	})
	require.ErrorIs(t, c.Connect(), reconnect.ErrDoNotReconnect)
	require.NoError(t, c.Wait())
	assert.Equal(t, 2, calls)
	assert.Zero(t, disconnects)
}

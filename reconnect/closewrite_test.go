package reconnect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestCloseWriteEndsWhatThePeerReadsAndNotWhatItWrites(t *testing.T) {
	cert, pool := certificate(t, "server.test", time.Hour)
	server := serverConfig(cert)
	for name, tt := range map[string]struct {
		network string
		tls     *tls.Config
	}{
		"tcp":  {"tcp", nil},
		"unix": {"unix", nil},
		"tls":  {"tcp", &tls.Config{RootCAs: pool, ServerName: "server.test"}},
	} {
		t.Run(name, func(t *testing.T) {
			const ask, answer = "what is it?", "not before you are done"
			s := testutil.NewServer(t, tt.network, func(conn net.Conn) {
				if tt.tls != nil {
					conn = tls.Server(conn, server.Load())
				}
				b, err := io.ReadAll(conn)
				assert.NoError(t, err)
				assert.Equal(t, ask, string(b))
				_, err = io.WriteString(conn, answer)
				assert.NoError(t, err)
				_ = conn.Close()
			})
			heard := make(chan string, 1)
			var c *reconnect.Client
			c = newClient(t, &reconnect.Config{Remote: s.Remote(), TLSConfig: tt.tls,
				OnSession: func(context.Context) error {
					_, err := io.WriteString(c, ask)
					assert.NoError(t, err)
					assert.NoError(t, c.CloseWrite())
					b, err := io.ReadAll(c)
					assert.NoError(t, err)
					heard <- string(b)
					return reconnect.ErrDoNotReconnect
				}}, patient)
			require.NoError(t, c.Connect())
			assert.Equal(t, answer, receive(t, heard))
			assert.NoError(t, waitDone(t, c))
			assert.Equal(t, reconnect.ErrNotConnected, c.CloseWrite())
		})
	}
}

func TestWriteAfterCloseWriteEndsTheSessionAndNotTheClient(t *testing.T) {
	cert, pool := certificate(t, "server.test", time.Hour)
	for name, tlsConfig := range map[string]*tls.Config{
		"tcp": nil,
		"tls": {RootCAs: pool, ServerName: "server.test"},
	} {
		t.Run(name, func(t *testing.T) {
			s := testutil.NewServer(t, "tcp", testutil.Echo)
			if tlsConfig != nil {
				s = tlsEcho(t, "tcp", serverConfig(cert))
			}
			sessions := 0
			var c *reconnect.Client
			c = newClient(t, &reconnect.Config{Remote: s.Remote(), TLSConfig: tlsConfig,
				WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
				OnSession: func(ctx context.Context) error {
					if sessions++; sessions > 1 {
						return reconnect.ErrDoNotReconnect
					}
					assert.NoError(t, c.CloseWrite())
					_, err := c.Write([]byte("x"))
					assert.ErrorIs(t, err, syscall.EPIPE)
					assert.ErrorContains(t, err, "CloseWrite")
					assert.Equal(t, err, context.Cause(ctx))
					return err
				}}, patient)
			require.NoError(t, c.Connect())
			assert.NoError(t, waitDone(t, c))
			assert.Equal(t, 2, sessions)
		})
	}
}

func TestCloseWriteOfAConnectionWithoutHalvesIsUnsupported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, pipeConfig(newPipe(t, nil)))
		assert.Equal(t, reconnect.ErrNotConnected, c.CloseWrite())
		require.NoError(t, c.Connect())
		assert.ErrorIs(t, c.CloseWrite(), errors.ErrUnsupported)
		assert.ErrorContains(t, c.CloseWrite(), "CloseWrite")
		assert.Equal(t, reconnect.Connected, c.State())
	})
}

func TestCloseWriteOfAConnectionThatIsClosedSaysSo(t *testing.T) {
	cert, pool := certificate(t, "server.test", time.Hour)
	secure := tlsEcho(t, "tcp", serverConfig(cert))
	byClient := func(c *reconnect.Client, _ net.Conn) error { return c.Close() }
	for name, tc := range map[string]struct {
		server  *testutil.Server
		tls     *tls.Config
		closing func(*reconnect.Client, net.Conn) error
		dialer  reconnect.Dialer
	}{
		"by the session":          {testutil.NewEchoServer(t, "tcp"), nil, func(_ *reconnect.Client, conn net.Conn) error { return conn.Close() }, nil},
		"by the client":           {testutil.NewEchoServer(t, "tcp"), nil, byClient, nil},
		"by the client, over TLS": {secure, &tls.Config{RootCAs: pool, ServerName: "server.test"}, byClient, nil},
		"by the client, which the transport calls otherwise": {testutil.NewEchoServer(t, "tcp"), nil, byClient,
			wrapped(dialer.New(dialer.Config{}), func(conn net.Conn) net.Conn { return &dialectConn{conn, errors.New("stream closed")} })},
	} {
		t.Run(name, func(t *testing.T) {
			errs := make(chan error, 2)
			var c *reconnect.Client
			c = newClient(t, &reconnect.Config{Remote: tc.server.Remote(), TLSConfig: tc.tls, Dialer: tc.dialer,
				OnSession: func(ctx context.Context) error {
					assert.NoError(t, tc.closing(c, reconnect.ConnFrom(ctx)))
					errs <- c.CloseWrite()
					c.Cancel(nil)
					errs <- c.CloseWrite()
					return nil
				}}, patient)
			require.NoError(t, c.Connect())
			assert.NoError(t, waitDone(t, c))
			assert.Equal(t, reconnect.ErrNotConnected, <-errs)
			assert.ErrorIs(t, <-errs, reconnect.ErrClosed)
		})
	}
}

func TestCloseWriteOverTLSIsBoundedByWriteTimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{bound: bound, 20 * time.Second: 5 * time.Second} {
		t.Run(timeout.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, pool := muteTLSPipe(t)
				c := connectPipe(t, p, func(cfg *reconnect.Config) {
					cfg.TLSConfig = &tls.Config{RootCAs: pool}
					cfg.WriteTimeout = timeout
				})
				begin := time.Now()
				err := c.CloseWrite()
				require.ErrorIs(t, err, syscall.EPIPE)
				require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "which says that nothing has happened")
				assert.Equal(t, want, time.Since(begin))
				time.Sleep(timeout) // TLS tries to say goodbye
				assert.EqualValues(t, 2, c.Status().Sessions, "the connection was dropped")
				require.NoError(t, c.Shutdown(context.Background()))
			})
		})
	}
}

func TestCloseWriteOverTLSForWhichAReconnectLeavesNoTimeIsNoErrorToReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, pool := muteTLSPipe(t)
		said := make(chan error, 2)
		var c *reconnect.Client
		cfg := pipeConfig(p)
		cfg.TLSConfig = &tls.Config{RootCAs: pool}
		cfg.WriteTimeout = bound
		cfg.OnDisconnect = func(context.Context, net.Conn) error {
			err := c.CloseWrite()
			said <- err
			return err
		}
		cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
			t.Errorf("told of %v", err)
			return nil
		}
		c = newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.NoError(t, c.Reconnect())
		assert.Equal(t, reconnect.ErrNotConnected, <-said)
		require.NoError(t, p.WaitDials(guarded(t), 2))
		synctest.Wait()
		require.NoError(t, c.Shutdown(context.Background()))
		assert.ErrorIs(t, <-said, reconnect.ErrClosed)
	})
}

// lossyConn takes its time for what it writes, and then says that all went well.
type lossyConn struct {
	net.Conn
	slow *atomic.Bool
}

func (c lossyConn) Write(p []byte) (int, error) {
	if c.slow.Load() {
		time.Sleep(bound)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func TestCloseWriteOverTLSThatIsLateEndsTheSessionThoughItGotThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert, pool := certificate(t, "server.test", time.Hour)
		var slow atomic.Bool
		p := newPipe(t, func(conn net.Conn) {
			_, _ = io.Copy(io.Discard, tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}}))
		})
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.TLSConfig = &tls.Config{RootCAs: pool}
			cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return lossyConn{conn, &slow} })
		})
		require.NoError(t, c.SetWriteDeadline(bound/2))
		slow.Store(true)
		require.ErrorIs(t, c.CloseWrite(), syscall.EPIPE)
		slow.Store(false)
		require.NoError(t, p.WaitDials(guarded(t), 2))
		require.NoError(t, c.Shutdown(guarded(t)))
	})
}

// halved is a connection in memory that has halves.
type halved struct {
	net.Conn
	ended chan struct{}
	err   error
}

func (h halved) CloseWrite() error {
	close(h.ended)
	return h.err
}

func TestCloseWriteThatIsRefusedLeavesTheSessionAlone(t *testing.T) {
	for _, refusal := range []error{errors.ErrUnsupported, syscall.ENOTCONN, syscall.ECONNRESET, syscall.EPIPE,
		syscall.ECONNABORTED, syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH} {
		bubble(t, refusal.Error(), func(t *testing.T) {
			p := newPipe(t, testutil.Echo)
			cfg := pipeConfig(p)
			cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn {
				return halved{conn, make(chan struct{}), &net.OpError{Op: "close", Err: refusal}}
			})
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			require.ErrorIs(t, c.CloseWrite(), refusal)
			talk(t, c, 1)
			assert.EqualValues(t, 1, c.Status().Sessions)
			require.NoError(t, fakeConn(t, p).Close())
			_, err := c.Write([]byte("x"))
			require.Error(t, err)
			assert.Equal(t, refusal != errors.ErrUnsupported, errors.Is(err, syscall.EPIPE))
			require.NoError(t, c.Shutdown(context.Background()))
		})
	}
}

func TestCloseWriteBeforeTheHandshakeOfADialersTLSLeavesTheSessionAlone(t *testing.T) {
	for name, wrap := range map[string]func(*tls.Conn) net.Conn{
		"bare":    func(conn *tls.Conn) net.Conn { return conn },
		"wrapped": func(conn *tls.Conn) net.Conn { return struct{ *tls.Conn }{conn} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cert, pool := certificate(t, "server.test", time.Hour)
				p := newPipe(t, func(conn net.Conn) {
					c := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
					_, _ = c.Write([]byte("x"))
					_, _ = io.Copy(c, c)
					_ = c.Close()
				})
				c := connectPipe(t, p, func(cfg *reconnect.Config) {
					cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn {
						return wrap(tls.Client(conn, &tls.Config{RootCAs: pool, ServerName: "server.test"}))
					})
				})
				require.ErrorContains(t, c.CloseWrite(), "before handshake")
				time.Sleep(2 * reconnect.DefaultWriteTimeout) // for nothing to be left that could pass
				_, err := readOne(c)
				require.NoError(t, err)
				_, err = writeOne(c)
				require.NoError(t, err)
				_, err = readOne(c)
				require.NoError(t, err)
				assert.EqualValues(t, 1, c.Status().Sessions)
				require.NoError(t, c.CloseWrite())
				_, err = readOne(c)
				assert.Equal(t, io.EOF, err)
			})
		})
	}
}

func TestCloseWriteComesAfterAWriteThatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := make(chan struct{})
		p := newPipe(t, func(conn net.Conn) {
			<-read
			_, _ = io.Copy(io.Discard, conn)
		})
		ended := make(chan struct{})
		cfg := pipeConfig(p)
		cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return halved{conn, ended, nil} })
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		errs := make(chan error, 2)
		go func() {
			_, err := c.Write(make([]byte, 100))
			errs <- err
		}()
		synctest.Wait()
		go func() { errs <- c.CloseWrite() }()
		synctest.Wait()
		select {
		case <-ended:
			t.Error("in the middle of a Write")
		default:
		}
		close(read)
		assert.NoError(t, <-errs)
		assert.NoError(t, <-errs)
		<-ended
		_, err := c.Write([]byte("x")) // which such a connection would take
		assert.NoError(t, err)
		require.NoError(t, c.Shutdown(context.Background()))
	})
}

func TestCloseWriteAfterATLSWriteThatTimedOutEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, pool := muteTLSPipe(t)
		c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.TLSConfig = &tls.Config{RootCAs: pool} })
		_, err := c.Write([]byte("nobody reads it"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.EqualValues(t, 1, c.Status().Sessions)
		err = c.CloseWrite()
		require.ErrorIs(t, err, syscall.EPIPE)
		require.ErrorContains(t, err, "timed out")
		time.Sleep(2 * bound) // TLS tries to say goodbye
		assert.EqualValues(t, 2, c.Status().Sessions)
		require.NoError(t, c.Shutdown(context.Background()))
	})
}

func TestCloseWriteOverTLSEndsWithTheDeadlineForAllWrites(t *testing.T) {
	for name, set := range map[string]bool{"SetWriteDeadline": true, "OnDisconnect": false} {
		bubble(t, name, func(t *testing.T) {
			p, pool := muteTLSPipe(t)
			cfg := pipeConfig(p)
			cfg.TLSConfig = &tls.Config{RootCAs: pool}
			cfg.WriteTimeout = bound
			cfg.WaitReconnect = reconnect.NewDoNotReconnectWaiter(nil)
			var c *reconnect.Client
			took := make(chan time.Duration, 1)
			closeWrite := func() {
				begin := time.Now()
				assert.NoError(t, c.SetWriteDeadline(bound))
				time.Sleep(bound / 4)
				assert.Error(t, c.CloseWrite())
				took <- time.Since(begin)
			}
			cfg.OnSession = func(context.Context) error {
				if set {
					closeWrite()
				}
				return nil
			}
			cfg.OnDisconnect = func(context.Context, net.Conn) error {
				if set {
					return nil
				}
				begin := time.Now()
				time.Sleep(bound / 4)
				assert.Error(t, c.CloseWrite())
				took <- time.Since(begin)
				return nil
			}
			c = newClient(t, cfg)
			require.NoError(t, c.Connect())
			assert.Equal(t, bound, <-took)
			_ = waitDone(t, c)
		})
	}
}

package reconnect_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
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

func TestWaitConnectedReturnsAtOnceWhenConnectedAndWhenItBecomesSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Second)
		c := newClient(t, cfg)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { assert.NoError(t, c.WaitConnected(context.Background())) })
		}
		synctest.Wait()
		require.NoError(t, c.Connect())
		time.Sleep(10 * time.Second)
		p.Refuse(nil)
		wg.Wait()
		require.NoError(t, c.WaitConnected(over()))
	})
}

func TestWaitConnectedOfAStoppedClientGivesErrClosedAndTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := errors.New("stop")
		c := newClient(t, pipeConfig(newPipe(t, nil)))
		var wg sync.WaitGroup
		check := func() {
			err := c.WaitConnected(context.Background())
			assert.ErrorIs(t, err, reconnect.ErrClosed)
			assert.ErrorIs(t, err, stop)
			assert.ErrorContains(t, err, pipeRemote)
		}
		wg.Go(check)
		synctest.Wait()
		c.Cancel(stop)
		wg.Wait()
		check()
	})
}

func TestWaitConnectedsErrorNamesRemotePhaseAndCause(t *testing.T) {
	cert, pool := certificate(t, "server.test", time.Hour)
	tlsServer := func(t *testing.T) string {
		return testutil.NewServer(t, "tcp", func(conn net.Conn) {
			_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
		}).Remote()
	}
	silent := func(t *testing.T) string {
		s := testutil.NewEchoServer(t, "tcp")
		s.SetSilent(true)
		return s.Remote()
	}
	forgive := func(context.Context, net.Conn, error) error { return nil }
	for name, tc := range map[string]struct {
		remote func(*testing.T) string
		edit   func(*reconnect.Config)
		phase  string
		cause  func(*testing.T, error)
	}{
		"refused": {func(t *testing.T) string { return freeRemote(t) }, nil, "dial tcp",
			func(t *testing.T, err error) { assert.ErrorIs(t, err, syscall.ECONNREFUSED) }},
		"no socket": {func(t *testing.T) string { return t.TempDir() + "/no.sock" }, nil, "dial unix",
			func(t *testing.T, err error) { assert.ErrorIs(t, err, syscall.ENOENT) }},
		"unresolvable": {func(*testing.T) string { return "name.invalid:80" }, nil, "dial tcp",
			func(t *testing.T, err error) {
				var dns *net.DNSError
				assert.ErrorAs(t, err, &dns)
			}},
		"silent in OnConnect": {silent, func(cfg *reconnect.Config) {
			cfg.ReadTimeout = 20 * time.Millisecond
			cfg.OnConnect = func(_ context.Context, conn net.Conn) error {
				_, err := conn.Read(make([]byte, 1))
				return err
			}
		}, "OnConnect", func(t *testing.T, err error) {
			var timeout net.Error
			assert.ErrorAs(t, err, &timeout)
			assert.True(t, timeout.Timeout())
		}},
		"silent in the handshake": {silent, func(cfg *reconnect.Config) {
			cfg.DialTimeout = 50 * time.Millisecond
			cfg.TLSConfig = &tls.Config{RootCAs: pool}
		}, "TLS", func(t *testing.T, err error) { assert.ErrorIs(t, err, context.DeadlineExceeded) }},
		"rejected by TLS": {tlsServer, func(cfg *reconnect.Config) {
			cfg.TLSConfig = &tls.Config{}
			cfg.OnError = forgive
		}, "TLS", func(t *testing.T, err error) {
			var unknown x509.UnknownAuthorityError
			assert.ErrorAs(t, err, &unknown)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := &reconnect.Config{Remote: tc.remote(t), WaitReconnect: untilDone}
			if tc.edit != nil {
				tc.edit(cfg)
			}
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			err := c.WaitConnected(over())
			require.ErrorIs(t, err, context.Canceled)
			assert.ErrorContains(t, err, cfg.Remote)
			assert.ErrorContains(t, err, tc.phase)
			assert.Equal(t, 1, strings.Count(err.Error(), "reconnect: "), "in %q", err)
			tc.cause(t, err)
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

func TestWaitConnectedThatBlocksEndsWhenTheStopBeginsWhateverHoldsTheLoopUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := newPipe(t, nil)
		p.Refuse(io.EOF)
		cfg := pipeConfig(p)
		cfg.OnError = func(context.Context, net.Conn, error) error {
			<-release
			return nil
		}
		c := newClient(t, cfg)
		connected := connecting(c)
		waited := make(chan error, 1)
		go func() { waited <- c.WaitConnected(context.Background()) }()
		synctest.Wait()
		boom := errors.New("boom")
		c.Cancel(boom)
		synctest.Wait()
		require.Len(t, waited, 1)
		err := <-waited
		assert.ErrorIs(t, err, reconnect.ErrClosed)
		assert.ErrorIs(t, err, boom)
		close(release)
		receive(t, connected)
	})
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

func TestWaitConnectedSaysNothingOfAnErrorBeforeTheLastConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Refuse(syscall.ECONNREFUSED)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Minute)
		cfg.OnSession = func(context.Context) error {
			time.Sleep(time.Hour)
			return nil
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.ErrorIs(t, c.WaitConnected(over()), syscall.ECONNREFUSED)
		p.Refuse(nil)
		require.NoError(t, c.WaitConnected(context.Background()))
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, reconnect.Waiting, c.State())
		err := c.WaitConnected(over())
		assert.ErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, syscall.ECONNREFUSED)
		assert.ErrorIs(t, c.Status().LastError, syscall.ECONNREFUSED)

		p.Refuse(syscall.ECONNRESET)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.ErrorIs(t, c.WaitConnected(over()), syscall.ECONNRESET)
		require.NoError(t, c.Shutdown(context.Background()))
	})
}

func TestWaitConnectedDoesNotTakeTheGoodbyeForAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Minute)
		sessions := 0
		cfg.OnSession = func(ctx context.Context) error {
			if sessions++; sessions == 1 {
				return nil
			}
			return untilDone(ctx)
		}
		cfg.OnDisconnect = func(context.Context, net.Conn) error {
			time.Sleep(time.Second)
			return nil
		}
		c := newClient(t, cfg)
		start := time.Now()
		require.NoError(t, c.Connect())
		synctest.Wait()
		require.NoError(t, c.WaitConnected(context.Background()))
		assert.Equal(t, time.Minute+time.Second, time.Since(start))
		require.NoError(t, c.Shutdown(context.Background()))
	})
}

func TestWaitConnectedWaitsWhileACallbackJudgesHowTheSessionEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		judging, judged := make(chan struct{}), make(chan struct{})
		ended := false
		cfg.OnSession = func(ctx context.Context) error {
			if ended {
				return untilDone(ctx)
			}
			ended = true
			return errors.New("odd")
		}
		cfg.OnError = func(context.Context, net.Conn, error) error {
			close(judging)
			<-judged
			return nil
		}
		c := newClient(t, cfg)
		connected := connecting(c)
		<-judging
		waited := make(chan error, 1)
		go func() {
			err := c.WaitConnected(context.Background())
			assert.NotNil(t, c.RemoteAddr())
			waited <- err
		}()
		synctest.Wait()
		require.Empty(t, waited)
		close(judged)
		require.NoError(t, receive(t, waited))
		require.NoError(t, receive(t, connected))
		require.EqualValues(t, 2, c.Status().Sessions)
	})
}

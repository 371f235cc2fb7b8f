package reconnect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/slog"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestConnectReturnsTheFatalErrorOfTheFirstAttempt(t *testing.T) {
	fatal := errors.New("wrong password")
	for name, edit := range map[string]func(*reconnect.Config){
		"of the dialer": func(cfg *reconnect.Config) {
			cfg.Dialer = funcDialer(func(context.Context, string, string) (net.Conn, error) { return nil, fatal })
		},
		"of OnConnect": func(cfg *reconnect.Config) {
			cfg.OnConnect = func(context.Context, net.Conn) error { return fatal }
		},
		"of OnError": func(cfg *reconnect.Config) {
			cfg.OnConnect = func(context.Context, net.Conn) error { return io.EOF }
			cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
				assert.ErrorIs(t, err, io.EOF)
				return fatal
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := pipeConfig(newPipe(t, nil))
				edit(cfg)
				c := newClient(t, cfg)
				require.ErrorIs(t, c.Connect(), fatal)
				require.ErrorIs(t, c.Err(), fatal, "known by the time Connect returns")
				require.ErrorIs(t, waitDone(t, c), fatal)
				require.ErrorIs(t, c.Shutdown(context.Background()), fatal)
			})
		})
	}
}

func TestConnectReturnsNilAndWarnsAfterARecoverableFailure(t *testing.T) {
	s := testutil.NewEchoServer(t, "tcp")
	s.Stop()
	logger := testutil.NewLogger(slog.Debug)
	proceed := make(chan struct{})
	c := newClient(t, &reconnect.Config{
		Remote: s.Remote(),
		Logger: logger,
		WaitReconnect: func(ctx context.Context) error {
			select {
			case <-proceed:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	})
	require.NoError(t, c.Connect())
	warning, ok := logger.Find(slog.Warn, "")
	require.True(t, ok, "no warning in:\n%s", logger)
	assert.Equal(t, 1, logger.Count(slog.Warn))
	assert.Equal(t, s.Remote(), warning.Fields["addr"])
	assert.NoError(t, c.Err())

	require.NoError(t, s.Restart())
	close(proceed)
	require.NoError(t, c.WaitConnected(guarded(t)), "the loop goes on in the background")
}

func TestConnectReturnsNilOnceOnConnectIsThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pipeConfig(newPipe(t, nil))
		cfg.OnConnect = func(context.Context, net.Conn) error {
			time.Sleep(time.Second)
			return nil
		}
		c := newClient(t, cfg)
		begin := time.Now()
		require.NoError(t, c.Connect())
		assert.Equal(t, time.Second, time.Since(begin))
		assert.Equal(t, reconnect.Connected, c.State())
	})
}

func TestSecondConnectReturnsErrRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Hang(true)
		c := newClient(t, pipeConfig(p))
		var wg sync.WaitGroup
		wg.Go(func() { assert.NoError(t, c.Connect()) })
		synctest.Wait()
		check := func() {
			err := c.Connect()
			require.ErrorIs(t, err, reconnect.ErrRunning)
			require.ErrorIs(t, err, syscall.EBUSY)
			require.EqualError(t, err, "already running")
		}
		check() // during the first attempt, without a wait for it
		p.Hang(false)
		wg.Wait()
		check()
	})
}

func TestConcurrentConnectsStartOneLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		c := newClient(t, pipeConfig(p))
		var ok, running atomic.Int32
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				switch err := c.Connect(); {
				case err == nil:
					ok.Add(1)
				case errors.Is(err, reconnect.ErrRunning):
					running.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, ok.Load())
		assert.EqualValues(t, 15, running.Load())
		assert.Equal(t, 1, p.Dials())
	})
}

func TestConnectOnAStoppedClientMatchesErrClosedAndTheReason(t *testing.T) {
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		stop func(*reconnect.Client, context.CancelCauseFunc)
		want error
	}{
		"Shutdown":       {func(c *reconnect.Client, _ context.CancelCauseFunc) { _ = c.Shutdown(context.Background()) }, context.Canceled},
		"Cancel(nil)":    {func(c *reconnect.Client, _ context.CancelCauseFunc) { c.Cancel(nil) }, context.Canceled},
		"Cancel(cause)":  {func(c *reconnect.Client, _ context.CancelCauseFunc) { c.Cancel(broken) }, broken},
		"context":        {func(_ *reconnect.Client, cancel context.CancelCauseFunc) { cancel(nil) }, context.Canceled},
		"context, cause": {func(_ *reconnect.Client, cancel context.CancelCauseFunc) { cancel(broken) }, broken},
		"deadline":       {func(*reconnect.Client, context.CancelCauseFunc) { time.Sleep(2 * time.Hour) }, context.DeadlineExceeded},
	} {
		for _, connected := range []bool{false, true} {
			if connected {
				name += ", after a connect"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					base, stop := context.WithTimeout(context.Background(), time.Hour)
					defer stop()
					base, cancel := context.WithCancelCause(base)
					defer cancel(nil)
					cfg := pipeConfig(newPipe(t, nil))
					cfg.Context = base
					c := newClient(t, cfg)
					if connected {
						require.NoError(t, c.Connect())
					}
					tc.stop(c, cancel)
					check := func() {
						err := c.Connect()
						require.ErrorIs(t, err, reconnect.ErrClosed)
						require.ErrorIs(t, err, net.ErrClosed)
						require.ErrorIs(t, err, tc.want)
						require.NotErrorIs(t, err, reconnect.ErrRunning)
					}
					check() // stopping
					_ = waitDone(t, c)
					check() // stopped
				})
			})
		}
	}
}

func TestConnectReturnsWhenTheStopComesDuringTheFirstAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Hang(true)
		c := newClient(t, pipeConfig(p))
		connected := make(chan error, 1)
		go func() { connected <- c.Connect() }()
		synctest.Wait()
		begin := time.Now()
		c.Cancel(nil)
		err := <-connected
		require.ErrorIs(t, err, reconnect.ErrClosed)
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, waitDone(t, c))
		assert.Zero(t, time.Since(begin))
	})
}

func TestConnectDoesNotOutwaitAStopForACallbackThatIgnoresIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pipeConfig(newPipe(t, nil))
		release := make(chan struct{})
		cfg.OnConnect = func(context.Context, net.Conn) error { <-release; return nil }
		c := newClient(t, cfg)
		connected := make(chan error, 1)
		go func() { connected <- c.Connect() }()
		synctest.Wait()
		c.Cancel(nil)
		require.ErrorIs(t, <-connected, reconnect.ErrClosed)
		close(release)
	})
}

func TestConnectTellsOfAStopOfOnConnectItself(t *testing.T) {
	broken := errors.New("broken")
	for range 100 { // the result must not depend on who is quicker
		synctest.Test(t, func(t *testing.T) {
			var c *reconnect.Client
			cfg := pipeConfig(newPipe(t, nil))
			cfg.OnConnect = func(context.Context, net.Conn) error {
				c.Cancel(broken)
				return nil
			}
			c = newClient(t, cfg)
			err := c.Connect()
			require.ErrorIs(t, err, reconnect.ErrClosed)
			require.ErrorIs(t, err, broken)
		})
	}
}

func TestConnectRacingAStopLeavesAClientThatEnds(t *testing.T) {
	p := newPipe(t, nil)
	for i := range 500 {
		c, err := reconnect.New(pipeConfig(p))
		require.NoError(t, err)
		var wg sync.WaitGroup
		wg.Go(func() { _ = c.Connect() })
		wg.Go(func() { c.Cancel(nil) })
		wg.Wait()
		require.NoError(t, waitDone(t, c))
		require.Equal(t, reconnect.Stopped, c.State(), "round %d", i)
		require.ErrorIs(t, c.WaitConnected(guarded(t)), reconnect.ErrClosed)
	}
	require.NoError(t, p.WaitOpen(guarded(t), 0))
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

func TestOnConnectSeesTheDialledConnection(t *testing.T) {
	cert, trust := selfSigned(t, "localhost")
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
		"*tls.Conn": {"tcp", secure, trust, func(c net.Conn) bool {
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

// A session may leave the client's Read and Write alone and use the connection
// itself, whose deadlines are then its own.
func TestSessionThatUsesTheConnectionItselfMeetsNoTimeout(t *testing.T) {
	for _, onConnect := range []func(context.Context, net.Conn) error{
		nil,
		func(context.Context, net.Conn) error { return nil },
	} {
		for _, network := range []string{"tcp", "unix"} {
			quiet := testutil.NewServer(t, network, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
			speak := make(chan struct{})
			s := testutil.NewServer(t, network, func(conn net.Conn) {
				<-speak
				_, _ = conn.Write([]byte("x"))
				testutil.Echo(conn)
			})
			result := make(chan error, 1)
			c := newClient(t, &reconnect.Config{
				Remote: s.Remote(), ReadTimeout: time.Millisecond, WriteTimeout: time.Millisecond,
				OnConnect: onConnect,
				OnSession: func(ctx context.Context) error {
					conn := reconnect.ConnFrom(ctx)
					go func() {
						// Some time passes, by another connection's clock.
						other, err := net.Dial(network, quiet.Addr().String())
						if assert.NoError(t, err) {
							_ = other.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
							_, err = other.Read(make([]byte, 1))
							assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
							_ = other.Close()
						}
						close(speak)
					}()
					_, err := conn.Read(make([]byte, 1))
					if err == nil {
						_, err = conn.Write([]byte("y"))
					}
					result <- err
					return reconnect.ErrDoNotReconnect
				},
			})
			require.NoError(t, c.Connect())
			require.NoError(t, receive(t, result))
			require.NoError(t, waitDone(t, c))
		}
	}
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

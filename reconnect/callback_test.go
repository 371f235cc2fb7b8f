package reconnect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
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

// plant makes one callback of a Config do something the first time it runs.
// The rest of the Config records what happens.
func plant(t testing.TB, p *testutil.PipeListener, rec *testutil.Recorder, in string, do func()) *reconnect.Config {
	did := false
	at := func(name string) {
		rec.Record(name)
		if name == in && !did {
			did = true
			do()
		}
	}
	cfg := &reconnect.Config{
		Remote: pipeRemote,
		Dialer: funcDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			at("Dialer")
			return p.DialContext(ctx, network, address)
		}),
		OnConnect: func(context.Context, net.Conn) error { at("OnConnect"); return nil },
		OnSession: func(context.Context) error {
			at("OnSession")
			return io.EOF // worth a retry
		},
		OnDisconnect:  func(context.Context, net.Conn) error { at("OnDisconnect"); return nil },
		OnState:       func(_, to reconnect.State) { at("OnState " + to.String()) },
		WaitReconnect: func(context.Context) error { at("WaitReconnect"); return nil },
	}
	if in == "OnError" {
		cfg.OnError = func(context.Context, net.Conn, error) error { at("OnError"); return nil }
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

func TestPanicInACallbackStopsTheClientWithItsStack(t *testing.T) {
	for _, in := range callbacksToPlant() {
		t.Run(in, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipe(t, nil)
				rec := testutil.NewRecorder()
				c := newClient(t, plant(t, p, rec, in, func() { panic("boom " + in) }))
				first := c.Connect()
				err := waitDone(t, c)
				requirePanicError(t, err, "boom "+in)
				require.True(t, reconnect.IsFatal(err))
				switch in {
				case "Dialer", "OnConnect", "OnState " + reconnect.Connecting.String():
					requirePanicError(t, first, "boom "+in)
				}
				assert.Equal(t, reconnect.Stopped, c.State())
				assert.Equal(t, rec.Count("OnState "+reconnect.Connected.String()), rec.Count("OnDisconnect"))
				assert.Equal(t, 1, rec.Count("OnState "+reconnect.Stopped.String()))
				assert.Zero(t, p.Open())
			})
		})
	}
}

func TestPanicGoesToOnErrorWhichMayGoOn(t *testing.T) {
	for _, in := range callbacksToPlant() {
		if in == "OnError" || in == "WaitReconnect" {
			continue // its own, and what always stops
		}
		t.Run(in, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipe(t, nil)
				rec := testutil.NewRecorder()
				cfg := plant(t, p, rec, in, func() { panic("boom") })
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
				assert.Equal(t, rec.Count("OnState "+reconnect.Connected.String()), rec.Count("OnDisconnect"))
				assert.Zero(t, p.Open())
			})
		})
	}
}

func TestGoexitInACallbackEndsTheClientWithAnError(t *testing.T) {
	for _, in := range callbacksToPlant() {
		t.Run(in, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipe(t, nil)
				rec := testutil.NewRecorder()
				c := newClient(t, plant(t, p, rec, in, runtime.Goexit))
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
				assert.Equal(t, reconnect.Stopped, c.State())
				assert.Equal(t, rec.Count("OnState "+reconnect.Connected.String()), rec.Count("OnDisconnect"))
				assert.Equal(t, 1, rec.Count("OnState "+reconnect.Stopped.String()))
				assert.Zero(t, p.Open())
			})
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

func TestPanicOrGoexitDuringTheStopStillEndsTheClient(t *testing.T) {
	for name, do := range map[string]func(){"panic": func() { panic("boom") }, "goexit": runtime.Goexit} {
		for _, in := range []string{"OnSession", "OnDisconnect", "OnState", "worker", "unconnected"} {
			t.Run(in+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
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
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPipe(t, nil)
					c := newClient(t, pipeConfig(p))
					if connected {
						require.NoError(t, c.Connect())
					}
					start(c)
					requirePanicError(t, waitDone(t, c), "boom")
					assert.Zero(t, p.Open())
				})
			})
		}
	}
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
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipe(t, nil)
				c := newClient(t, pipeConfig(p))
				require.NoError(t, c.Connect())
				start(c)
				require.ErrorContains(t, waitDone(t, c), "Goexit")
				assert.Zero(t, p.Open())
			})
		})
	}
}

func TestOnSocketThatFailsIsAFailedAttempt(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
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
			t.Run(network+" "+name, func(t *testing.T) {
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
	}
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

func TestDialerThatReturnsNothingUsableIsAFailedAttempt(t *testing.T) {
	for name, tc := range map[string]struct {
		dial func() (net.Conn, error)
		want error
	}{
		"neither connection nor error":  {func() (net.Conn, error) { return nil, nil }, reconnect.ErrAbnormalConnect},
		"a nil pointer and no error":    {func() (net.Conn, error) { return (*net.TCPConn)(nil), nil }, reconnect.ErrAbnormalConnect},
		"a nil *tls.Conn and an error":  {func() (net.Conn, error) { return (*tls.Conn)(nil), io.EOF }, io.EOF},
		"a nil *tls.Conn and no error":  {func() (net.Conn, error) { return (*tls.Conn)(nil), nil }, syscall.ECONNABORTED},
		"refused":                       {func() (net.Conn, error) { return nil, testutil.ConnRefused("tcp", pipeRemote) }, syscall.ECONNREFUSED},
		"a deadline of its own context": {func() (net.Conn, error) { return nil, context.DeadlineExceeded }, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipe(t, nil)
				n := 0
				cfg := pipeConfig(p)
				cfg.Dialer = funcDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
					if n++; n < 3 {
						return tc.dial()
					}
					return p.DialContext(ctx, network, address)
				})
				c := newClient(t, cfg)
				require.NoError(t, c.Connect())
				require.NoError(t, c.WaitConnected(guarded(t)))
				assert.EqualValues(t, 2, c.Status().Failures)
				require.ErrorIs(t, c.Status().LastError, tc.want)
			})
		})
	}
}

func TestConnectionThatComesWithAnErrorIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Hour)
		cfg.Dialer = funcDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, _ := p.DialContext(ctx, network, address)
			return conn, io.EOF
		})
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		assert.Zero(t, p.Open())
	})
}

func TestErrorsThatCantBeComparedDoNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, in := range []string{"dial", "OnConnect", "OnSession", "OnDisconnect", "worker", "waiter", "Cancel"} {
			broken := listError{"a", in}
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			var c *reconnect.Client
			at := func(name string) error {
				if name == in {
					return broken
				}
				return nil
			}
			cfg.Dialer = funcDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
				if in == "dial" {
					return nil, broken
				}
				return p.DialContext(ctx, network, address)
			})
			cfg.OnConnect = func(context.Context, net.Conn) error { return at("OnConnect") }
			cfg.OnSession = func(ctx context.Context) error {
				if in == "Cancel" {
					c.Cancel(broken)
					return broken
				}
				return at("OnSession")
			}
			cfg.OnDisconnect = func(context.Context, net.Conn) error { return at("OnDisconnect") }
			cfg.WaitReconnect = func(context.Context) error { return at("waiter") }
			c = newClient(t, cfg)
			c.Go(func(context.Context) error { return at("worker") })
			_ = c.Connect()
			err := waitDone(t, c)
			var got listError
			require.ErrorAs(t, err, &got, in)
			require.Equal(t, broken, got)
			assert.Equal(t, reconnect.Stopped, c.State(), in)
			require.ErrorAs(t, c.Status().LastError, &got)
			require.Error(t, c.WaitConnected(context.Background()))
		}
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

// faultyConn panics in the methods that it is told to.
type faultyConn struct {
	net.Conn
	in string
}

func (c *faultyConn) at(name string) {
	if c.in == name {
		panic("boom " + name)
	}
}

func (c *faultyConn) Close() error {
	_ = c.Conn.Close()
	c.at("Close")
	return nil
}

func (c *faultyConn) SetReadDeadline(t time.Time) error {
	c.at("SetReadDeadline")
	return c.Conn.SetReadDeadline(t)
}

func (c *faultyConn) SetWriteDeadline(t time.Time) error {
	c.at("SetWriteDeadline")
	return c.Conn.SetWriteDeadline(t)
}

func TestGoexitInAMethodOfTheConnectionEndsTheClientWithAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.Dialer = funcDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := p.DialContext(ctx, network, address)
			return &exitingConn{conn}, err
		})
		cfg.OnSession = func(context.Context) error { return io.EOF }
		c := newClient(t, cfg)
		_ = c.Connect()
		require.ErrorContains(t, waitDone(t, c), "Goexit")
		assert.Zero(t, p.Open())
	})
}

// exitingConn ends the goroutine that closes it.
type exitingConn struct{ net.Conn }

func (c *exitingConn) Close() error {
	_ = c.Conn.Close()
	runtime.Goexit()
	return nil
}

func TestConnectionWhoseMethodsPanicEndsTheClientAndNotTheProcess(t *testing.T) {
	for _, in := range []string{"Close", "SetReadDeadline", "SetWriteDeadline"} {
		for _, late := range []bool{false, true} { // in OnConnect already, or at the end
			t.Run(in, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPipe(t, nil)
					cfg := pipeConfig(p)
					cfg.Dialer = funcDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
						conn, err := p.DialContext(ctx, network, address)
						return &faultyConn{conn, in}, err
					})
					if !late {
						cfg.OnConnect = func(context.Context, net.Conn) error { return io.EOF }
					}
					cfg.OnSession = func(context.Context) error { return io.EOF }
					cfg.OnDisconnect = func(context.Context, net.Conn) error { return nil }
					c := newClient(t, cfg)
					_ = c.Connect()
					requirePanicError(t, waitDone(t, c), "boom "+in)
					assert.Equal(t, reconnect.Stopped, c.State())
					assert.Zero(t, p.Open())
				})
			})
		}
	}
}

// faultyLogger panics when a line of some level is printed.
type faultyLogger struct {
	slog.Logger
	level slog.LogLevel
	at    slog.LogLevel
}

func (l *faultyLogger) WithLevel(level slog.LogLevel) slog.Logger {
	return &faultyLogger{l.Logger.WithLevel(level), level, l.at}
}
func (l *faultyLogger) Debug() slog.Logger { return l.WithLevel(slog.Debug) }
func (l *faultyLogger) Info() slog.Logger  { return l.WithLevel(slog.Info) }
func (l *faultyLogger) Warn() slog.Logger  { return l.WithLevel(slog.Warn) }
func (l *faultyLogger) Error() slog.Logger { return l.WithLevel(slog.Error) }
func (l *faultyLogger) WithField(label string, value any) slog.Logger {
	return &faultyLogger{l.Logger.WithField(label, value), l.level, l.at}
}
func (l *faultyLogger) WithEnabled() (slog.Logger, bool) { return l, true }
func (l *faultyLogger) Enabled() bool                    { return true }
func (l *faultyLogger) Print(...any) {
	if l.level == l.at {
		panic("boom")
	}
}

func TestLoggerThatPanicsEndsTheClientAndNotTheProcess(t *testing.T) {
	for _, level := range []slog.LogLevel{slog.Error, slog.Warn, slog.Info, slog.Debug} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipe(t, nil)
			p.Refuse(io.EOF)
			cfg := pipeConfig(p)
			cfg.Logger = &faultyLogger{testutil.NewLogger(slog.Debug), slog.UndefinedLevel, level}
			cfg.OnSession = func(context.Context) error { return errors.New("odd") }
			cfg.WaitReconnect = func(context.Context) error { p.Refuse(nil); return nil }
			c := newClient(t, cfg)
			_ = c.Connect()
			require.Error(t, waitDone(t, c))
			assert.Equal(t, reconnect.Stopped, c.State())
			assert.Zero(t, p.Open())
		})
	}
}

package reconnect_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
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

func TestSessionContextCarriesTheConnectionAndTheClientsValues(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		base, cancel := context.WithDeadline(context.WithValue(context.Background(), key{}, "v"), time.Now().Add(time.Hour))
		defer cancel()
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.Context = base
		check := func(ctx context.Context) {
			assert.Equal(t, "v", ctx.Value(key{}))
			if assert.Len(t, p.Conns(), 1) {
				assert.Same(t, p.Conns()[0], reconnect.ConnFrom(ctx))
			}
		}
		cfg.OnConnect = func(ctx context.Context, _ net.Conn) error { check(ctx); return nil }
		cfg.OnSession = func(ctx context.Context) error {
			check(ctx)
			deadline, ok := ctx.Deadline()
			want, _ := base.Deadline()
			assert.True(t, ok)
			assert.Equal(t, want, deadline)
			child, stop := context.WithCancel(ctx)
			defer stop()
			check(child)
			return reconnect.ErrDoNotReconnect
		}
		cfg.OnDisconnect = func(ctx context.Context, _ net.Conn) error { check(ctx); return nil }
		c := newClient(t, cfg)
		_ = c.Connect()
		require.NoError(t, waitDone(t, c))
	})
}

// sessionEnd connects a client with a session that waits for its context, does
// something, and gives the cause that the context ended with.
func sessionEnd(t *testing.T, p *testutil.PipeListener, edit func(*reconnect.Config), do func(*reconnect.Client)) error {
	causes := make(chan error, 100)
	sessions := make(chan struct{}, 100)
	cfg := pipeConfig(p)
	cfg.OnSession = func(ctx context.Context) error {
		sessions <- struct{}{}
		<-ctx.Done()
		assert.ErrorIs(t, ctx.Err(), context.Canceled)
		causes <- context.Cause(ctx)
		return ctx.Err()
	}
	if edit != nil {
		edit(cfg)
	}
	c := newClient(t, cfg)
	require.NoError(t, c.Connect())
	receive(t, sessions)
	do(c)
	return receive(t, causes)
}

func TestSessionContextEndsWithACauseThatSaysWhy(t *testing.T) {
	broken := errors.New("broken")
	base, cancelBase := context.WithCancelCause(context.Background())
	read := func(c *reconnect.Client) { _, _ = c.Read(make([]byte, 1)) }

	for name, tc := range map[string]struct {
		edit  func(*reconnect.Config)
		do    func(*reconnect.Client, *testutil.PipeListener)
		cause error
	}{
		"Shutdown": {nil, func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Shutdown(context.Background()) }, context.Canceled},
		"Cancel":   {nil, func(c *reconnect.Client, _ *testutil.PipeListener) { c.Cancel(broken) }, broken},
		"context": {func(cfg *reconnect.Config) { cfg.Context = base },
			func(*reconnect.Client, *testutil.PipeListener) { cancelBase(broken) }, broken},
		"worker": {nil, func(c *reconnect.Client, _ *testutil.PipeListener) {
			c.Go(func(context.Context) error { return broken })
		}, broken},
		"Close":     {nil, func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Close() }, reconnect.ErrClosed},
		"Reconnect": {nil, func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Reconnect() }, reconnect.ErrClosed},
		"Reload": {nil, func(c *reconnect.Client, _ *testutil.PipeListener) {
			c.Config().Remote = "other.test:1"
			assert.NoError(t, c.Reload())
		}, reconnect.ErrClosed},
		"Read": {nil, func(c *reconnect.Client, p *testutil.PipeListener) { p.HangUp(); read(c) }, io.EOF},
		"Write": {nil, func(c *reconnect.Client, p *testutil.PipeListener) {
			p.Conns()[0].FailWrite(broken)
			_, err := c.Write([]byte("x"))
			assert.ErrorIs(t, err, broken)
		}, broken},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPipe(t, nil)
			cause := sessionEnd(t, p, tc.edit, func(c *reconnect.Client) { tc.do(c, p) })
			require.ErrorIs(t, cause, tc.cause)
		})
	}
}

func TestSessionContextOutlivesATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		var timeouts int
		cause := sessionEnd(t, p, nil, func(c *reconnect.Client) {
			for range 5 {
				_, err := c.Read(make([]byte, 1))
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				_, err = c.Write(make([]byte, 1))
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				timeouts++
			}
			synctest.Wait()
			assert.Equal(t, 1, p.Open())
			assert.Equal(t, 1, p.Dials())
			p.HangUp()
			_, _ = c.Read(make([]byte, 1))
		})
		assert.Equal(t, 5, timeouts)
		require.ErrorIs(t, cause, io.EOF)
	})
}

func TestReloadOfATimeoutLeavesTheSessionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cause := sessionEnd(t, p, nil, func(c *reconnect.Client) {
			c.Config().ReadTimeout = time.Hour
			require.NoError(t, c.Reload())
			synctest.Wait()
			assert.Equal(t, 1, p.Dials())
			c.Cancel(nil)
		})
		require.ErrorIs(t, cause, context.Canceled)
	})
}

func TestSessionThatReturnsItsContextsErrorReconnects(t *testing.T) {
	for name, drop := range map[string]func(*reconnect.Client, *testutil.PipeListener){
		"Close":     func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Close() },
		"Reconnect": func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Reconnect() },
		"EOF":       func(c *reconnect.Client, p *testutil.PipeListener) { p.HangUp(); _, _ = c.Read(make([]byte, 1)) },
	} {
		for how, answer := range map[string]func(context.Context) error{
			"ctx.Err":   func(ctx context.Context) error { return ctx.Err() },
			"cause":     context.Cause,
			"wrapped":   func(ctx context.Context) error { return errors.Join(errors.New("session"), ctx.Err()) },
			"closed":    func(context.Context) error { return net.ErrClosed },
			"nil":       func(context.Context) error { return nil },
			"Read's":    func(context.Context) error { return reconnect.ErrNotConnected },
			"time-out?": func(context.Context) error { return os.ErrDeadlineExceeded },
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPipe(t, nil)
					rec := testutil.NewRecorder()
					cfg := pipeConfig(p)
					cfg.OnSession = func(ctx context.Context) error {
						rec.Record("session")
						<-ctx.Done()
						return answer(ctx)
					}
					c := newClient(t, cfg)
					require.NoError(t, c.Connect())
					for n := 2; n < 5; n++ {
						synctest.Wait()
						drop(c, p)
						require.NoError(t, rec.WaitFor(guarded(t), "session", n))
					}
					require.NoError(t, c.Err())
					require.NoError(t, c.Shutdown(guarded(t)), "a stop is no error of the session")
				})
			})
		}
	}
}

func TestSessionsOwnErrorStopsTheClientWhateverDroppedTheConnection(t *testing.T) {
	broken := errors.New("state corrupted")
	for name, drop := range map[string]func(*reconnect.Client){
		"Close":     func(c *reconnect.Client) { _ = c.Close() },
		"Reconnect": func(c *reconnect.Client) { _ = c.Reconnect() },
	} {
		for callback, edit := range map[string]func(*reconnect.Config, func() error){
			"OnSession": func(cfg *reconnect.Config, do func() error) {
				cfg.OnSession = func(context.Context) error { return do() }
			},
			"OnDisconnect": func(cfg *reconnect.Config, do func() error) {
				cfg.OnSession = func(context.Context) error { return nil }
				cfg.OnDisconnect = func(context.Context, net.Conn) error { return do() }
			},
			"OnConnect": func(cfg *reconnect.Config, do func() error) {
				cfg.OnConnect = func(context.Context, net.Conn) error { return do() }
			},
		} {
			t.Run(callback+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPipe(t, nil)
					cfg := pipeConfig(p)
					var c *reconnect.Client
					edit(cfg, func() error {
						if p.Dials() > 10 {
							c.Cancel(errors.New("goes round and round"))
						}
						drop(c)
						return broken
					})
					c = newClient(t, cfg)
					_ = c.Connect()
					require.ErrorIs(t, waitDone(t, c), broken)
					assert.Equal(t, 1, p.Dials())
				})
			})
		}
	}
}

func TestWithoutOnSessionTheConnectionIsHeldOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, func(conn net.Conn) {
			buf := make([]byte, 100)
			for {
				n, err := conn.Read(buf)
				if err != nil {
					return
				}
				_, _ = conn.Write([]byte(strings.ToUpper(string(buf[:n]))))
			}
		})
		c := newClient(t, pipeConfig(p))
		require.NoError(t, c.Connect())
		time.Sleep(24 * time.Hour)
		assert.Equal(t, 1, p.Dials())
		assert.Equal(t, reconnect.Connected, c.State())

		_, err := c.Write([]byte("hello"))
		require.NoError(t, err)
		time.Sleep(time.Second) // nothing reads behind the user's back
		buf := make([]byte, 10)
		n, err := c.Read(buf)
		require.NoError(t, err)
		assert.Equal(t, "HELLO", string(buf[:n]))

		p.HangUp()
		_, err = c.Read(buf)
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, p.WaitDials(guarded(t), 2), "the failure of a worker's Read ends the session")
	})
}

func TestOnDisconnectRunsOncePerConnectionThatWasUp(t *testing.T) {
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		session func(*reconnect.Client) error
		reason  error
		panics  bool
	}{
		"fatal error":   {func(*reconnect.Client) error { return broken }, broken, false},
		"stop":          {func(*reconnect.Client) error { return reconnect.ErrDoNotReconnect }, nil, false},
		"Cancel":        {func(c *reconnect.Client) error { c.Cancel(broken); return nil }, broken, false},
		"Close, Cancel": {func(c *reconnect.Client) error { _ = c.Close(); c.Cancel(nil); return nil }, nil, false},
		"panic":         {func(*reconnect.Client) error { panic("boom") }, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := testutil.NewRecorder()
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				var c *reconnect.Client
				cfg.OnConnect = func(context.Context, net.Conn) error { rec.Record("up"); return nil }
				n := 0
				cfg.OnSession = func(context.Context) error {
					if n++; n < 3 {
						return nil
					}
					return tc.session(c)
				}
				cfg.OnDisconnect = func(ctx context.Context, conn net.Conn) error {
					rec.Record("down", conn)
					assert.NoError(t, ctx.Err(), "not cancelled by the stop")
					return nil
				}
				c = newClient(t, cfg)
				require.NoError(t, c.Connect())
				err := waitDone(t, c)
				if tc.panics {
					requirePanicError(t, err, "boom")
				} else {
					require.Equal(t, tc.reason, err)
				}
				rec.AssertExactly(t, "up", "down", "up", "down", "up", "down")
				assert.Zero(t, p.Open())
			})
		})
	}
}

func TestOnDisconnectRunsAtShutdownBeforeTheCloseAndMayStillWrite(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			heard := make(chan string, 1)
			s := testutil.NewServer(t, network, func(conn net.Conn) {
				all, _ := io.ReadAll(conn)
				heard <- string(all)
			})
			var c *reconnect.Client
			c = newClient(t, &reconnect.Config{
				Remote: s.Remote(), ReadTimeout: -1, WriteTimeout: -1,
				OnSession: func(context.Context) error {
					_, err := c.Read(make([]byte, 1))
					assert.ErrorIs(t, err, reconnect.ErrClosed)
					return err
				},
				OnDisconnect: func(_ context.Context, conn net.Conn) error {
					_, err := conn.Write([]byte("good"))
					if err == nil {
						_, err = c.Write([]byte("bye"))
					}
					return err
				},
			})
			require.NoError(t, c.Connect())
			require.NoError(t, c.Shutdown(guarded(t)))
			assert.Equal(t, "goodbye", receive(t, heard))
		})
	}
}

func TestOnDisconnectsContextIsBoundedByTheWriteTimeout(t *testing.T) {
	for name, tc := range map[string]struct{ timeout, want time.Duration }{
		"default": {0, 2 * time.Second},
		"given":   {20 * time.Second, 20 * time.Second},
		"off":     {-1, 2 * time.Second},
	} {
		for _, stop := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					type key struct{}
					p := newPipe(t, nil)
					cfg := pipeConfig(p)
					cfg.Context = context.WithValue(context.Background(), key{}, "v")
					cfg.WriteTimeout = tc.timeout
					took := make(chan time.Duration, 1)
					cfg.OnDisconnect = func(ctx context.Context, _ net.Conn) error {
						assert.Equal(t, "v", ctx.Value(key{}))
						begin := time.Now()
						deadline, ok := ctx.Deadline()
						assert.True(t, ok)
						assert.Equal(t, begin.Add(tc.want), deadline)
						<-ctx.Done()
						took <- time.Since(begin)
						assert.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
						return reconnect.ErrDoNotReconnect
					}
					c := newClient(t, cfg)
					require.NoError(t, c.Connect())
					if stop {
						c.Cancel(nil)
					} else {
						require.NoError(t, c.Close())
					}
					require.NoError(t, waitDone(t, c))
					assert.Equal(t, tc.want, <-took)
				})
			})
		}
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
		t.Run(stopIn, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
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
		})
	}
}

func TestLateReportAboutAnOldConnectionLeavesTheCurrentOneAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		rec := testutil.NewRecorder()
		cfg := pipeConfig(p)
		var conns []*stubbornConn
		cfg.Dialer = funcDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := p.DialContext(ctx, network, address)
			s := &stubbornConn{Conn: conn, late: make(chan error)}
			conns = append(conns, s)
			return s, err
		})
		cfg.OnSession = func(ctx context.Context) error {
			rec.Record("session")
			<-ctx.Done()
			rec.Record("end")
			return nil
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		synctest.Wait()

		late := make(chan error, 2)
		go func() { _, err := c.Read(make([]byte, 1)); late <- err }()
		go func() { _, err := c.Write(make([]byte, 1)); late <- err }()
		synctest.Wait()
		require.NoError(t, c.Reconnect())
		require.NoError(t, rec.WaitFor(guarded(t), "session", 2))
		conns[0].late <- io.EOF
		conns[0].late <- io.ErrClosedPipe
		require.Error(t, <-late)
		require.Error(t, <-late)
		time.Sleep(time.Hour)
		assert.Equal(t, 2, p.Dials())
		rec.AssertExactly(t, "session", "end", "session")
		assert.NotNil(t, c.RemoteAddr())
	})
}

// stubbornConn answers reads and writes only when the test wants it to.
type stubbornConn struct {
	net.Conn
	late chan error
}

func (c *stubbornConn) Read([]byte) (int, error)  { return 0, <-c.late }
func (c *stubbornConn) Write([]byte) (int, error) { return 0, <-c.late }

func TestConnectionDroppedOnRequestIsNoErrorToReport(t *testing.T) {
	for name, drop := range map[string]func(*reconnect.Client){
		"Close":     func(c *reconnect.Client) { assert.NoError(t, c.Close()) },
		"Reconnect": func(c *reconnect.Client) { assert.NoError(t, c.Reconnect()) },
	} {
		for how, session := range map[string]func(context.Context, *reconnect.Client) error{
			"none": nil,
			"ctx":  func(ctx context.Context, _ *reconnect.Client) error { <-ctx.Done(); return ctx.Err() },
			"Read": func(_ context.Context, c *reconnect.Client) error {
				_, err := c.Read(make([]byte, 1))
				return err
			},
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPipe(t, nil)
					var c *reconnect.Client
					cfg := pipeConfig(p)
					if session != nil {
						cfg.OnSession = func(ctx context.Context) error { return session(ctx, c) }
					}
					cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
						t.Errorf("told of %v", err)
						return err
					}
					c = newClient(t, cfg)
					require.NoError(t, c.Connect())
					for n := 2; n < 5; n++ {
						synctest.Wait()
						drop(c)
						require.NoError(t, p.WaitDials(guarded(t), n))
					}
					require.NoError(t, c.Shutdown(guarded(t)))
				})
			})
		}
	}
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

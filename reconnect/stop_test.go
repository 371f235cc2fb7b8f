package reconnect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// stops are the ways to ask for the end.
func stops() map[string]func(*reconnect.Client, context.CancelFunc) {
	return map[string]func(*reconnect.Client, context.CancelFunc){
		"Cancel":   func(c *reconnect.Client, _ context.CancelFunc) { c.Cancel(nil) },
		"Shutdown": func(c *reconnect.Client, _ context.CancelFunc) { _ = c.Shutdown(context.Background()) },
		"context":  func(_ *reconnect.Client, cancel context.CancelFunc) { cancel() },
	}
}

// stopsWithin are the same for a callback, which can't wait for its own end.
func stopsWithin() map[string]func(*reconnect.Client, context.CancelFunc) {
	within := stops()
	within["Shutdown"] = func(c *reconnect.Client, _ context.CancelFunc) { _ = c.Shutdown(over()) }
	return within
}

// phases bring a client to where its context is waited for.
func phases() map[string]func(*reconnect.Config, *testutil.PipeListener) {
	return map[string]func(*reconnect.Config, *testutil.PipeListener){
		"dial": func(_ *reconnect.Config, p *testutil.PipeListener) { p.Hang(true) },
		"OnConnect": func(cfg *reconnect.Config, _ *testutil.PipeListener) {
			cfg.OnConnect = func(ctx context.Context, _ net.Conn) error { return untilDone(ctx) }
		},
		"OnConnect's Read": func(cfg *reconnect.Config, _ *testutil.PipeListener) {
			cfg.OnConnect = func(_ context.Context, conn net.Conn) error {
				_, err := conn.Read(make([]byte, 1))
				return err
			}
		},
		"OnSession": func(cfg *reconnect.Config, _ *testutil.PipeListener) { cfg.OnSession = untilDone },
		"OnSession's Read": func(cfg *reconnect.Config, _ *testutil.PipeListener) {
			cfg.OnSession = func(ctx context.Context) error {
				_, err := reconnect.ConnFrom(ctx).Read(make([]byte, 1))
				return err
			}
		},
		"held": func(*reconnect.Config, *testutil.PipeListener) {},
		"wait of an hour": func(cfg *reconnect.Config, p *testutil.PipeListener) {
			p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
			cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Hour)
		},
		"own wait": func(cfg *reconnect.Config, p *testutil.PipeListener) {
			p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
			cfg.WaitReconnect = untilDone
		},
		"OnError": func(cfg *reconnect.Config, p *testutil.PipeListener) {
			p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
			cfg.OnError = func(ctx context.Context, _ net.Conn, _ error) error { return untilDone(ctx) }
		},
	}
}

func TestStopCutsShortWhateverTheClientIsAt(t *testing.T) {
	for phase, edit := range phases() {
		for how, stop := range stops() {
			bubble(t, phase+" "+how, func(t *testing.T) {
				base, cancel := context.WithCancel(context.Background())
				defer cancel()
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				cfg.Context = base
				cfg.DialTimeout, cfg.ReadTimeout, cfg.WriteTimeout = -1, -1, -1
				edit(cfg, p)
				onError := cfg.OnError
				reported := 0
				cfg.OnError = func(ctx context.Context, conn net.Conn, err error) error {
					reported++
					if onError != nil {
						return onError(ctx, conn, err)
					}
					return nil
				}
				c := newClient(t, cfg)
				go func() { _ = c.Connect() }()
				synctest.Wait()
				before := reported

				begin := time.Now()
				stop(c, cancel)
				require.NoError(t, waitDone(t, c))
				assert.Zero(t, time.Since(begin))
				require.NoError(t, c.Err())
				require.ErrorIs(t, context.Cause(c.Context()), context.Canceled)
				assert.Equal(t, reconnect.Stopped, c.State())
				assert.Equal(t, before, reported, "errors of the stop itself aren't reported")
				assert.Zero(t, p.Open())
			})
		}
	}
}

func TestErrIsNilWhileTheClientRuns(t *testing.T) {
	stop := errors.New("stop")
	for phase, edit := range phases() {
		bubble(t, phase, func(t *testing.T) {
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			cfg.DialTimeout, cfg.ReadTimeout, cfg.WriteTimeout = -1, -1, -1
			edit(cfg, p)
			c := newClient(t, cfg)
			require.NoError(t, c.Err())
			go func() { _ = c.Connect() }()
			synctest.Wait()
			require.NoError(t, c.Err(), "whatever the last error is: %v", c.Status().LastError)
			time.Sleep(time.Minute)
			require.NoError(t, c.Err())
			require.NotEqual(t, reconnect.Stopped, c.State())
			c.Cancel(stop)
			require.Equal(t, stop, c.Err(), "from the begin of the stop on")
			require.Equal(t, stop, waitDone(t, c))
			require.Equal(t, stop, c.Err())
		})
	}
}

func TestCancelDoesNotWait(t *testing.T) {
	for _, in := range []string{"OnConnect", "OnSession", "OnDisconnect", "WaitReconnect", "worker"} {
		bubble(t, in, func(t *testing.T) {
			p := newPipe(t, nil)
			begin := time.Now()
			entered := false
			ignore := func() { // the end of the context
				entered = true
				time.Sleep(time.Hour)
			}
			cfg := pipeConfig(p)
			if in != "worker" {
				cfg = plant(p, testutil.NewRecorder(), in, ignore)
			}
			c := newClient(t, cfg)
			if in == "worker" {
				c.Go(func(context.Context) error { ignore(); return nil })
			}
			go func() { _ = c.Connect() }()
			synctest.Wait()
			require.True(t, entered)
			c.Cancel(nil)
			assert.Zero(t, time.Since(begin))
			assert.False(t, isDone(c))
			require.NoError(t, c.Wait())
			assert.Equal(t, time.Hour, time.Since(begin))
		})
	}
}

func TestStopWinsAgainstAConnectionThatComesUp(t *testing.T) {
	for how, stop := range stopsWithin() {
		t.Run(how, func(t *testing.T) {
			for range 200 {
				synctest.Test(t, func(t *testing.T) {
					base, cancel := context.WithCancel(context.Background())
					defer cancel()
					p := newPipe(t, nil)
					rec := testutil.NewRecorder()
					cfg := recordedConfig(p, rec, 0)
					cfg.Context = base
					var c *reconnect.Client
					var dialled *testutil.FaultConn
					cfg.Dialer = dialer.Func(func(_ context.Context, network, address string) (net.Conn, error) {
						conn, err := p.DialContext(context.Background(), network, address)
						dialled = conn.(*testutil.FaultConn)
						stop(c, cancel)
						return conn, err
					})
					cfg.OnError = func(context.Context, net.Conn, error) error { rec.Record("OnError"); return nil }
					c = newClient(t, cfg)
					err := c.Connect()
					require.ErrorIs(t, err, reconnect.ErrClosed)
					require.ErrorIs(t, err, context.Canceled)
					require.NoError(t, waitDone(t, c))
					rec.AssertExactly(t)
					assert.Equal(t, 1, dialled.Closes())
				})
			}
		})
	}
}

// slowDeadlineConn takes its time to set its first deadline for writes.
type slowDeadlineConn struct {
	net.Conn
	first sync.Once
	enter func()
}

func (c *slowDeadlineConn) SetWriteDeadline(at time.Time) error {
	c.first.Do(c.enter)
	return c.Conn.SetWriteDeadline(at)
}

func TestStopBetweenTheDialAndOnConnectKeepsTheConnectionFromAllCallbacks(t *testing.T) {
	for how, stop := range stopsWithin() {
		bubble(t, how, func(t *testing.T) {
			base, cancel := context.WithCancel(context.Background())
			defer cancel()
			p := newPipe(t, nil)
			rec := testutil.NewRecorder()
			cfg := recordedConfig(p, rec, 0)
			cfg.Context = base
			var c *reconnect.Client
			cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn {
				return &slowDeadlineConn{Conn: conn, enter: func() { go stop(c, cancel); <-c.Context().Done() }}
			})
			c = newClient(t, cfg)
			require.ErrorIs(t, c.Connect(), reconnect.ErrClosed)
			require.NoError(t, waitDone(t, c))
			rec.AssertExactly(t)
			require.Zero(t, c.Status().Sessions)
			assert.Zero(t, p.Open())
		})
	}
}

func TestStopInOnConnectSkipsTheSessionButNotOnDisconnect(t *testing.T) {
	for how, stop := range stopsWithin() {
		if how == "Shutdown" {
			continue // it gives up, and so closes the connection itself
		}
		t.Run(how, func(t *testing.T) {
			for range 50 {
				synctest.Test(t, func(t *testing.T) {
					base, cancel := context.WithCancel(context.Background())
					defer cancel()
					p := newPipe(t, nil)
					rec := testutil.NewRecorder()
					cfg := recordedConfig(p, rec, 0)
					cfg.Context = base
					var c *reconnect.Client
					cfg.OnConnect = func(context.Context, net.Conn) error {
						rec.Record("OnConnect")
						stop(c, cancel)
						return nil
					}
					c = newClient(t, cfg)
					require.ErrorIs(t, c.Connect(), reconnect.ErrClosed)
					require.NoError(t, waitDone(t, c))
					rec.AssertExactly(t, "OnConnect", "OnDisconnect")
				})
			}
		})
	}
}

func TestStopDuringABlackHoledDial(t *testing.T) {
	c := newClient(t, &reconnect.Config{Remote: testutil.BlackHole(t), DialTimeout: -1})
	connected := connecting(c)
	for st := c.Status(); st.State != reconnect.Connecting; {
		var err error
		st, err = c.WaitStatus(guarded(t), st.Version)
		require.NoError(t, err)
	}
	require.NoError(t, c.Shutdown(guarded(t)))
	require.ErrorIs(t, receive(t, connected), reconnect.ErrClosed)
}

func TestStopDuringATLSHandshake(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		s.SetSilent(true)
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), DialTimeout: -1,
			TLSConfig: &tls.Config{ServerName: "localhost"}})
		connected := connecting(c)
		require.NoError(t, s.WaitAccepted(guarded(t), 1))
		require.NoError(t, c.Shutdown(guarded(t)))
		require.ErrorIs(t, receive(t, connected), reconnect.ErrClosed)
	})
}

func TestContextThatIsOverBeforeNewStopsTheClient(t *testing.T) {
	p := newPipe(t, nil)
	for range 200 {
		cfg := pipeConfig(p)
		cfg.Context = over()
		states := make(chan reconnect.State, 10)
		cfg.OnState = func(_, to reconnect.State) { states <- to }
		c := newClient(t, cfg)
		require.ErrorIs(t, c.Connect(), reconnect.ErrClosed)
		require.NoError(t, waitDone(t, c))
		require.Equal(t, reconnect.Stopped, c.State())
		require.Equal(t, reconnect.Stopped, receive(t, states))
		require.Empty(t, states)
	}
	assert.Zero(t, p.Dials())
}

func TestClientThatNeverConnectsStopsAndLeavesNothing(t *testing.T) {
	testutil.CheckLeaks(t)
	for _, stop := range stops() {
		base, cancel := context.WithCancel(context.Background())
		c, err := reconnect.New(&reconnect.Config{Remote: pipeRemote, Context: base})
		require.NoError(t, err)
		waited := make(chan error, 1)
		go func() { waited <- c.Wait() }()
		stop(c, cancel)
		require.NoError(t, receive(t, waited))
		require.NoError(t, c.Shutdown(guarded(t)))
		cancel()
	}
}

func TestConcurrentStopsAllReturnTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		c := newClient(t, pipeConfig(p))
		require.NoError(t, c.Connect())
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() { assert.NoError(t, c.Shutdown(context.Background())) })
			wg.Go(func() { assert.NoError(t, c.Wait()) })
			wg.Go(func() { c.Cancel(nil) })
		}
		wg.Wait()
		assert.Zero(t, p.Open())
	})
}

func TestStopInTheMiddleOfAReconnectRacesCleanly(t *testing.T) {
	testutil.CheckLeaks(t)
	s := testutil.NewEchoServer(t, "tcp")
	s.SetHangUpAfter(0)
	for i := range 100 {
		rec := testutil.NewRecorder()
		var c *reconnect.Client
		c, err := reconnect.New(&reconnect.Config{
			Remote: s.Remote(), WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
			OnConnect: func(context.Context, net.Conn) error { rec.Record("up"); return nil },
			OnSession: func(context.Context) error {
				_, err := c.Read(make([]byte, 1))
				if err == nil {
					err = io.ErrUnexpectedEOF
				}
				return err
			},
			OnDisconnect: func(context.Context, net.Conn) error { rec.Record("down"); return nil },
		})
		require.NoError(t, err)
		require.NoError(t, c.Connect())
		require.NoError(t, rec.WaitFor(guarded(t), "up", 1+i%4))
		require.NoError(t, c.Shutdown(guarded(t)))
		rec.AssertPaired(t, "up", "down")
	}
	require.NoError(t, s.WaitOpen(guarded(t), 0))
}

package reconnect_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestStatesFollowTheFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Hang(true)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Minute)
		c := newClient(t, cfg)
		require.Equal(t, reconnect.Idle, c.State())
		wait := make(chan struct{})
		go func() { _ = c.Connect(); close(wait) }()
		synctest.Wait()
		require.Equal(t, reconnect.Connecting, c.State())
		<-wait
		synctest.Wait()
		require.Equal(t, reconnect.Waiting, c.State())
		p.Hang(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, reconnect.Connected, c.State())
		require.NoError(t, c.Shutdown(context.Background()))
		require.Equal(t, reconnect.Stopped, c.State())
	})
}

func TestStatusTellsWhatTheClientIsAtAndHasBeenThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, testutil.Echo)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Minute)
		begin := time.Now()
		c := newClient(t, cfg)
		version := uint64(0)
		check := func(want reconnect.Status) {
			t.Helper()
			synctest.Wait()
			got := c.Status()
			require.Greater(t, got.Version, version, "0 is older than any")
			version = got.Version
			got.Version = 0
			require.Equal(t, want, got)
		}
		check(reconnect.Status{State: reconnect.Idle, Since: begin, Remote: pipeRemote})

		refused := testutil.ConnRefused("tcp", pipeRemote)
		p.Refuse(refused)
		time.Sleep(time.Second)
		require.NoError(t, c.Connect())
		synctest.Wait()
		failed := c.Status().LastError
		require.ErrorIs(t, failed, syscall.ECONNREFUSED)
		now := time.Now()
		check(reconnect.Status{State: reconnect.Waiting, Since: now, Remote: pipeRemote, Attempt: 1,
			LastError: failed, LastErrorAt: now, NextAttempt: now.Add(time.Minute), Attempts: 1, Failures: 1})

		p.Refuse(nil)
		time.Sleep(time.Minute)
		up := time.Now()
		check(reconnect.Status{State: reconnect.Connected, Since: up, Remote: pipeRemote, Attempt: 2,
			LastError: failed, LastErrorAt: now, ConnectedSince: up, Attempts: 2, Failures: 1, Sessions: 1})

		talk(t, c, 3)
		time.Sleep(20 * time.Second) // stable
		got := c.Status()
		require.Equal(t, []any{version, uint64(30), uint64(30)}, []any{got.Version, got.BytesRead, got.BytesWritten},
			"bytes are no news")
		p.HangUp()
		_, err := readOne(c)
		require.ErrorIs(t, err, io.EOF)
		now = time.Now()
		check(reconnect.Status{State: reconnect.Waiting, Since: now, Remote: pipeRemote, Attempt: 0,
			LastError: io.EOF, LastErrorAt: now, NextAttempt: now.Add(time.Minute), Attempts: 2, Failures: 1,
			Sessions: 1, BytesRead: 30, BytesWritten: 30})

		stop := errors.New("stop")
		c.Cancel(stop)
		require.Equal(t, stop, waitDone(t, c))
		check(reconnect.Status{State: reconnect.Stopped, Since: now, Remote: pipeRemote, Attempt: 0,
			LastError: stop, LastErrorAt: now, Attempts: 2, Failures: 1,
			Sessions: 1, BytesRead: 30, BytesWritten: 30})
	})
}

func TestWaitStatusReturnsTheNextSnapshotNewerThanTheVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, pipeConfig(newPipe(t, nil)))
		st, err := c.WaitStatus(context.Background(), 0)
		require.NoError(t, err)
		require.Equal(t, reconnect.Idle, st.State, "there is one from the start")

		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		same, err := c.WaitStatus(ctx, st.Version)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, st, same)

		require.NoError(t, c.Connect())
		st, err = c.WaitStatus(ctx, st.Version)
		require.NoError(t, err, "news come even if the context is over")
		require.Equal(t, reconnect.Connected, st.State)

		go c.Cancel(nil)
		for st.State != reconnect.Stopped {
			st, err = c.WaitStatus(context.Background(), st.Version)
			require.NoError(t, err)
		}
		_, err = c.WaitStatus(context.Background(), st.Version)
		require.ErrorIs(t, err, reconnect.ErrClosed)
		require.ErrorIs(t, err, context.Canceled)
		for _, future := range []uint64{st.Version + 1, 1<<64 - 1} {
			last, err := c.WaitStatus(context.Background(), future)
			require.ErrorIs(t, err, reconnect.ErrClosed, "nothing is to come, so nothing to wait for")
			require.Equal(t, reconnect.Stopped, last.State)
		}
	})
}

func TestReaderThatSleepsThroughAThousandTransitionsSeesTheLastState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		var transitions atomic.Int32
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.OnState = func(_, _ reconnect.State) { transitions.Add(1) }
		})
		seen := c.Status()
		for transitions.Load() < 1000 {
			require.NoError(t, c.Close())
			synctest.Wait()
		}
		p.Hang(true)
		require.NoError(t, c.Close())
		synctest.Wait()
		st, err := c.WaitStatus(context.Background(), seen.Version)
		require.NoError(t, err)
		require.Equal(t, reconnect.Connecting, st.State)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_, err = c.WaitStatus(ctx, st.Version)
		require.ErrorIs(t, err, context.DeadlineExceeded, "each state is told once")
		require.NoError(t, c.Shutdown(context.Background()))
		st, err = c.WaitStatus(context.Background(), st.Version)
		require.NoError(t, err)
		require.Equal(t, reconnect.Stopped, st.State)
	})
}

func TestOnStateSeesEveryTransitionInOrder(t *testing.T) {
	for name, connect := range map[string]bool{"connected": true, "never connected": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var moves []string
				last := reconnect.Idle
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				cfg.OnState = func(from, to reconnect.State) {
					assert.Equal(t, last, from)
					assert.NotEqual(t, from, to)
					last = to
					moves = append(moves, to.String())
				}
				c := newClient(t, cfg)
				want := []string{"stopped"}
				if connect {
					require.NoError(t, c.Connect())
					require.NoError(t, c.Close())
					synctest.Wait()
					p.Refuse(io.ErrUnexpectedEOF)
					cfg.WaitReconnect = nil
					require.NoError(t, c.Reconnect()) // fails, and then again and again: so stop
					require.NoError(t, c.Reload())
					synctest.Wait()
					want = []string{"connecting", "connected", "waiting", "connecting", "connected", "connecting"}
				}
				require.NoError(t, c.Shutdown(context.Background()))
				require.GreaterOrEqual(t, len(moves), len(want))
				if connect {
					assert.Equal(t, want, moves[:len(want)])
				}
				assert.Equal(t, "stopped", moves[len(moves)-1])
			})
		})
	}
}

// flap makes a client of a server that hangs up at random, with a counter of
// sessions that ended. Everything is done when it returns.
func flap(t *testing.T, cfg *reconnect.Config, s *testutil.Server, sessions int, during func(*reconnect.Client)) *reconnect.Client {
	var client atomic.Pointer[reconnect.Client]
	n := 0
	cfg.Remote = s.Remote()
	cfg.WaitReconnect = reconnect.NewImmediateErrorWaiter(nil)
	cfg.OnSession = func(context.Context) error {
		c := client.Load()
		if n++; n == sessions {
			c.Cancel(nil)
			return nil
		}
		p := make([]byte, 1+rand.N(3000))
		for range rand.N(4) {
			if _, err := c.Write(p); err != nil {
				return err
			}
			if _, err := io.ReadFull(c, p); err != nil {
				return err
			}
		}
		return nil
	}
	c := newClient(t, cfg)
	client.Store(c)
	during(c)
	_ = c.Connect()
	require.NoError(t, waitDone(t, c))
	return c
}

func TestHundredPollersSeeCountersThatNeverGoDownAndAddUp(t *testing.T) {
	s := testutil.NewEchoServer(t, "tcp")
	s.SetHangUpAfter(2500)
	rec := testutil.NewRecorder()
	const sessions = 60
	cfg := &reconnect.Config{
		OnConnect:    func(context.Context, net.Conn) error { rec.Record("connect"); return nil },
		OnDisconnect: func(context.Context, net.Conn) error { rec.Record("disconnect"); return nil },
		OnState: func(_, to reconnect.State) {
			if to == reconnect.Connected {
				rec.Record("connected")
			}
		},
	}
	var pollers sync.WaitGroup
	c := flap(t, cfg, s, sessions, func(c *reconnect.Client) {
		for i := range 100 {
			pollers.Go(func() {
				var last reconnect.Status
				for last.State != reconnect.Stopped {
					st := c.Status()
					if i%2 == 0 {
						var err error
						if st, err = c.WaitStatus(context.Background(), last.Version); !assert.NoError(t, err) {
							return
						}
						if !assert.Greater(t, st.Version, last.Version) {
							return
						}
					}
					ok := st.Version >= last.Version && st.Attempts >= last.Attempts && st.Failures >= last.Failures &&
						st.Sessions >= last.Sessions && st.BytesRead >= last.BytesRead &&
						st.BytesWritten >= last.BytesWritten && !st.Since.Before(last.Since)
					if !assert.True(t, ok, "%v after %v", st, last) {
						return
					}
					if !assert.Equal(t, st.State == reconnect.Connected, !st.ConnectedSince.IsZero(), "%v", st) {
						return
					}
					last = st
					_ = c.State()
				}
			})
		}
	})
	pollers.Wait()
	st := c.Status()
	assert.EqualValues(t, sessions, st.Sessions)
	assert.Equal(t, sessions, rec.Count("connected"))
	assert.Equal(t, sessions, rec.Count("disconnect"))
	assert.Equal(t, st.Attempts, st.Sessions+st.Failures)
}

// meteredConn counts what goes through it, independent of the client.
type meteredConn struct {
	net.Conn
	read, written *atomic.Int64
}

func (c meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func (c meteredConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

func TestBytesAreThoseThatAProxyCounted(t *testing.T) {
	for _, d := range []time.Duration{0, -1} {
		for _, proxied := range []bool{false, true} {
			t.Run(fmt.Sprint(d, proxied), func(t *testing.T) {
				s := testutil.NewEchoServer(t, "unix")
				s.SetHangUpAfter(2000)
				var read, written atomic.Int64
				cfg := &reconnect.Config{ReadTimeout: d, WriteTimeout: d}
				if proxied {
					cfg.Dialer = funcDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
						conn, err := new(net.Dialer).DialContext(ctx, network, address)
						return meteredConn{conn, &read, &written}, err
					})
				}
				c := flap(t, cfg, s, 100, func(*reconnect.Client) {})
				require.NoError(t, s.WaitOpen(guarded(t), 0))
				st := c.Status()
				if proxied {
					assert.EqualValues(t, read.Load(), st.BytesRead)
					assert.EqualValues(t, written.Load(), st.BytesWritten)
				}
				assert.LessOrEqual(t, st.BytesRead, uint64(s.BytesOut()))
				assert.GreaterOrEqual(t, st.BytesWritten, uint64(s.BytesIn()))
				assert.Positive(t, st.BytesRead)
			})
		}
	}
}

// lateConn takes no notice of its Close and returns from a Write when told to.
type lateConn struct {
	net.Conn
	late chan struct{}
}

func (c lateConn) Write([]byte) (int, error) {
	<-c.late
	return 3, io.ErrClosedPipe
}

func TestBytesOfACallThatOutlivesItsSessionCount(t *testing.T) {
	for _, d := range []time.Duration{0, -1} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipe(t, nil)
			late := make(chan struct{})
			c := connectPipe(t, p, func(cfg *reconnect.Config) {
				cfg.WriteTimeout = d
				cfg.Dialer = funcDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := p.DialContext(ctx, network, address)
					return lateConn{conn, late}, err
				})
			})
			var wg sync.WaitGroup
			wg.Go(func() {
				n, err := writeOne(c)
				assert.Equal(t, 3, n)
				assert.ErrorIs(t, err, reconnect.ErrNotConnected)
			})
			synctest.Wait()
			require.NoError(t, c.Close())
			synctest.Wait()
			require.EqualValues(t, 2, c.Status().Sessions)
			require.Zero(t, c.Status().BytesWritten)
			close(late)
			wg.Wait()
			assert.EqualValues(t, 3, c.Status().BytesWritten)
		})
	}
}

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
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		require.NoError(t, c.WaitConnected(gone))
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

// never waits before attempts until the client stops.
func never(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestWaitConnectedsErrorNamesRemotePhaseAndCause(t *testing.T) {
	cert, trusting := selfSigned(t, "localhost")
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
			cfg.TLSConfig = trusting
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
			cfg := &reconnect.Config{Remote: tc.remote(t), WaitReconnect: never}
			if tc.edit != nil {
				tc.edit(cfg)
			}
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			gone, cancel := context.WithCancel(context.Background())
			cancel()
			err := c.WaitConnected(gone)
			require.ErrorIs(t, err, context.Canceled)
			assert.ErrorContains(t, err, cfg.Remote)
			assert.ErrorContains(t, err, tc.phase)
			tc.cause(t, err)
		})
	}
}

func TestNextAttemptOfALateGoroutineDoesNotBringAnOldStateBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		wait := reconnect.NewConstantWaiter(time.Hour)
		late := make(chan struct{})
		var wg sync.WaitGroup
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.WaitReconnect = func(ctx context.Context) error {
				wg.Go(func() {
					<-late
					ctx = context.WithoutCancel(ctx)
					_ = reconnect.ChainWaiters(func(ctx context.Context) error {
						ctx, cancel := context.WithTimeout(ctx, time.Second)
						defer cancel()
						return wait(ctx)
					})(ctx)
				})
				return nil
			}
		})
		require.NoError(t, c.Close())
		synctest.Wait()
		before := c.Status()
		require.Equal(t, reconnect.Connected, before.State)
		close(late)
		synctest.Wait()
		require.Equal(t, before, c.Status())
		wg.Wait()
	})
}

package reconnect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
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

	"darvaza.org/core"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

var _ io.ReadWriteCloser = (*reconnect.Client)(nil)

// connectSession is connectPipe with a session that gets the client.
func connectSession(t testing.TB, p *testutil.PipeListener, edit func(*reconnect.Config),
	session func(context.Context, *reconnect.Client) error) (c *reconnect.Client) {
	t.Helper()
	cfg := pipeConfig(p)
	if edit != nil {
		edit(cfg)
	}
	cfg.OnSession = func(ctx context.Context) error { return session(ctx, c) }
	c = newClient(t, cfg)
	require.NoError(t, c.Connect())
	return c
}

// onConnection are the methods that need a connection.
func onConnection() map[string]func(*reconnect.Client) error {
	return map[string]func(*reconnect.Client) error{
		"Read":               func(c *reconnect.Client) error { _, err := readOne(c); return err },
		"Write":              func(c *reconnect.Client) error { _, err := writeOne(c); return err },
		"empty Read":         func(c *reconnect.Client) error { _, err := c.Read(nil); return err },
		"empty Write":        func(c *reconnect.Client) error { _, err := c.Write(nil); return err },
		"SetDeadline":        func(c *reconnect.Client) error { return c.SetDeadline(1, 1) },
		"SetReadDeadline":    func(c *reconnect.Client) error { return c.SetReadDeadline(0) },
		"SetWriteDeadline":   func(c *reconnect.Client) error { return c.SetWriteDeadline(-1) },
		"ResetDeadline":      (*reconnect.Client).ResetDeadline,
		"ResetReadDeadline":  (*reconnect.Client).ResetReadDeadline,
		"ResetWriteDeadline": (*reconnect.Client).ResetWriteDeadline,
	}
}

func requireNotConnected(t *testing.T, c *reconnect.Client) {
	t.Helper()
	for name, method := range onConnection() {
		err := method(c)
		require.ErrorIs(t, err, reconnect.ErrNotConnected, name)
		require.ErrorIs(t, err, fs.ErrClosed, name)
		require.ErrorIs(t, err, net.ErrClosed, name)
	}
	require.NoError(t, c.Close())
	// untyped: an address must not be a nil pointer in an interface
	require.True(t, c.LocalAddr() == nil)
	require.True(t, c.RemoteAddr() == nil)
}

func TestWithoutAConnectionMethodsReturnErrNotConnectedAndAddressesAreNil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Hour)
		cfg.DialTimeout = time.Minute
		cfg.OnConnect = func(context.Context, net.Conn) error {
			time.Sleep(5 * time.Minute)
			return nil
		}
		c := newClient(t, cfg)
		requireNotConnected(t, c) // before Connect
		p.Hang(true)
		go func() { _ = c.Connect() }()
		synctest.Wait()
		requireNotConnected(t, c) // in a dial
		time.Sleep(2 * time.Minute)
		requireNotConnected(t, c) // in a wait
		p.Hang(false)
		time.Sleep(time.Hour)
		require.Equal(t, 1, p.Open())
		requireNotConnected(t, c) // while OnConnect runs
		require.NoError(t, c.WaitConnected(context.Background()))
		require.NotNil(t, c.RemoteAddr())
		p.HangUp()
		_, err := readOne(c)
		require.ErrorIs(t, err, io.EOF)
		synctest.Wait()
		requireNotConnected(t, c) // after the loss
		c.Cancel(nil)
		require.NoError(t, waitDone(t, c))
		requireNotConnected(t, c) // after the stop
	})
}

func TestAddressesAreThoseOfTheConnection(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		s := testutil.NewEchoServer(t, network)
		addrs := make(chan [2]net.Addr, 1)
		c := newClient(t, &reconnect.Config{Remote: s.Remote(),
			OnConnect: func(_ context.Context, conn net.Conn) error {
				addrs <- [2]net.Addr{conn.LocalAddr(), conn.RemoteAddr()}
				return nil
			}})
		require.NoError(t, c.Connect())
		want := receive(t, addrs)
		assert.Equal(t, want[0], c.LocalAddr())
		assert.Equal(t, want[1], c.RemoteAddr())
		assert.Equal(t, s.Addr().String(), c.RemoteAddr().String())
	}
}

func TestCloseDropsTheConnectionAndTheClientReconnects(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			s := testutil.NewEchoServer(t, network)
			c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: -1,
				WaitReconnect: reconnect.NewImmediateErrorWaiter(nil)})
			require.NoError(t, c.Connect())
			for i := range 5 {
				require.NoError(t, c.WaitConnected(guarded(t)))
				talk(t, c, 1)
				require.NoError(t, c.Close())
				require.NoError(t, s.WaitAccepted(guarded(t), i+2))
			}
			require.NoError(t, c.Err())
		})
	}
}

func TestCloseEndsBlockedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) { cfg.ReadTimeout, cfg.WriteTimeout = -1, -1 })
		for range 3 {
			var wg sync.WaitGroup
			for _, do := range calls() {
				wg.Go(func() {
					_, err := do(c)
					assert.ErrorIs(t, err, net.ErrClosed)
				})
			}
			synctest.Wait()
			require.NoError(t, c.Close())
			wg.Wait()
			synctest.Wait()
			require.Equal(t, reconnect.Connected, c.State())
		}
	})
}

func TestReadAfterCloseReturnsErrNotConnectedUntilTheNextConnection(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		proceed := make(chan struct{})
		s := testutil.NewEchoServer(t, network)
		c := newClient(t, &reconnect.Config{Remote: s.Remote(),
			OnSession: func(context.Context) error { // keeps the loop from noticing
				<-proceed
				return nil
			}})
		require.NoError(t, c.Connect())
		require.NoError(t, c.Close())
		for name, method := range onConnection() {
			if name != "empty Read" && name != "empty Write" {
				assert.ErrorIs(t, method(c), reconnect.ErrNotConnected, name)
			}
		}
		require.NoError(t, c.Close(), "again")
		close(proceed)
	}
}

func TestCloseDoesNotCutAWaitShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.ReconnectDelay = time.Hour; cfg.WaitReconnect = nil })
		begin := time.Now()
		require.NoError(t, c.Close())
		synctest.Wait()
		require.Equal(t, reconnect.Waiting, c.State())
		require.NoError(t, c.Close())
		require.NoError(t, c.WaitConnected(context.Background()))
		assert.Equal(t, time.Hour, time.Since(begin))
		assert.NoError(t, c.Status().LastError, "a Close is no failure")
	})
}

func TestTimeoutsEndNoSessionAndOtherErrorsDo(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		ends bool
	}{
		"deadline":        {os.ErrDeadlineExceeded, false},
		"wrapped":         {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, false},
		"EOF":             {io.EOF, true},
		"reset":           {&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true},
		"unknown":         {errors.New("alien"), true},
		"kernel gave up":  {&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}, true},
		"kernel, wrapped": {fmt.Errorf("why: %w", syscall.ETIMEDOUT), true},
	} {
		for dir, do := range calls() {
			t.Run(name+" of "+dir, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPipe(t, nil)
					cause := make(chan error, 2)
					c := connectPipe(t, p, func(cfg *reconnect.Config) {
						cfg.OnSession = func(ctx context.Context) error {
							<-ctx.Done()
							cause <- context.Cause(ctx)
							return nil
						}
						cfg.ReadTimeout, cfg.WriteTimeout = -1, -1
					})
					conn := fakeConn(t, p)
					conn.FailRead(tc.err)
					conn.FailWrite(tc.err)
					_, err := do(c)
					require.ErrorIs(t, err, tc.err)
					synctest.Wait()
					if !tc.ends {
						require.EqualValues(t, 1, c.Status().Sessions)
						return
					}
					require.EqualValues(t, 2, c.Status().Sessions)
					require.Equal(t, tc.err, receive(t, cause))
				})
			})
		}
	}
}

func TestStopEndsBlockedReadsAtOnce(t *testing.T) {
	for name, d := range map[string]time.Duration{"default": 0, "off": -1, "long": time.Hour} {
		for _, fixed := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) {
						cfg.ReadTimeout, cfg.WriteTimeout = d, d
						cfg.OnSession = func(ctx context.Context) error {
							<-ctx.Done()
							time.Sleep(time.Second) // the connection is still there
							return nil
						}
					})
					if fixed {
						require.NoError(t, c.SetDeadline(time.Hour, 0))
					}
					var wg sync.WaitGroup
					for range 5 {
						wg.Go(func() {
							_, err := readOne(c)
							assert.ErrorIs(t, err, reconnect.ErrClosed)
							assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
						})
					}
					synctest.Wait()
					begin := time.Now()
					c.Cancel(nil)
					wg.Wait()
					_, err := readOne(c)
					assert.ErrorIs(t, err, reconnect.ErrClosed)
					assert.ErrorIs(t, c.SetReadDeadline(time.Hour), reconnect.ErrClosed)
					assert.ErrorIs(t, c.ResetDeadline(), reconnect.ErrClosed)
					_, err = readOne(c)
					assert.ErrorIs(t, err, reconnect.ErrClosed)
					assert.Zero(t, time.Since(begin))
				})
			})
		}
	}
}

func TestStopEndsReadsOnSocketsThatBlock(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for _, d := range []time.Duration{0, -1, time.Hour} {
			s := testutil.NewEchoServer(t, network)
			c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: d,
				OnSession: func(ctx context.Context) error {
					<-ctx.Done()
					return nil
				}})
			require.NoError(t, c.Connect())
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					_, err := readOne(c)
					assert.ErrorIs(t, err, reconnect.ErrClosed)
				})
			}
			require.NoError(t, c.Shutdown(guarded(t)))
			wg.Wait()
		}
	}
}

// A read that is about to arm its deadline when the stop comes would block
// until that deadline. It's an hour, so nobody would wait for it.
func TestDeadlineArmedByARacingReadDoesNotOutliveTheStop(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		s := testutil.NewServer(t, network, func(conn net.Conn) {
			for {
				if _, err := conn.Write([]byte("some bytes")); err != nil {
					return
				}
			}
		})
		for i := range 18 {
			reading := make(chan struct{})
			var reads atomic.Int32 // of any reader: one may starve another
			c := newClient(t, &reconnect.Config{Remote: s.Remote(),
				ReadTimeout: []time.Duration{time.Hour, time.Microsecond, -1}[i%3],
				OnSession: func(ctx context.Context) error {
					<-ctx.Done()
					return nil
				}})
			require.NoError(t, c.Connect())
			for range 2 {
				c.Go(func(context.Context) error {
					p := make([]byte, 64)
					for {
						_, err := c.Read(p)
						if reads.Add(1) == 10 {
							close(reading)
						}
						if errors.Is(err, reconnect.ErrClosed) {
							return nil
						}
					}
				})
				c.Go(func(ctx context.Context) error { // moves deadlines around
					for ctx.Err() == nil {
						_ = c.SetReadDeadline(time.Hour)
						_ = c.ResetReadDeadline()
					}
					return nil
				})
			}
			receive(t, reading)
			require.NoError(t, c.Shutdown(guarded(t)))
		}
	}
}

func TestWritesKeepAGraceFromTheStopOn(t *testing.T) {
	for name, tc := range map[string]struct {
		timeout, grace time.Duration
		fix            bool
	}{
		"default":          {0, 2 * time.Second, false},
		"set":              {5 * time.Second, 5 * time.Second, false},
		"off":              {-1, 2 * time.Second, false},
		"despite deadline": {5 * time.Second, 5 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipe(t, nil)
				var stopped time.Time
				begun := make(chan struct{})
				edit := func(cfg *reconnect.Config) { cfg.WriteTimeout = tc.timeout }
				c := connectSession(t, p, edit, func(_ context.Context, c *reconnect.Client) error {
					if tc.fix {
						assert.NoError(t, c.SetWriteDeadline(time.Hour))
					}
					close(begun)
					_, err := writeOne(c) // blocks already when the stop comes
					assert.ErrorIs(t, err, reconnect.ErrClosed)
					assert.Equal(t, tc.grace, time.Since(stopped))
					_, err = writeOne(c)
					assert.ErrorIs(t, err, reconnect.ErrClosed)
					assert.Equal(t, tc.grace, time.Since(stopped))
					return nil
				})
				<-begun
				time.Sleep(time.Second)
				stopped = time.Now()
				require.NoError(t, c.Shutdown(context.Background()))
				assert.Equal(t, tc.grace, time.Since(stopped))
			})
		})
	}
}

func TestGoodbyeAfterTheStopArrives(t *testing.T) {
	for name, begin := range map[string]time.Duration{"blocked before": -time.Second, "begun after": time.Second / 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got bytes.Buffer
				p := newPipe(t, func(conn net.Conn) {
					time.Sleep(time.Minute + time.Second) // a second after the stop
					_, _ = io.Copy(&got, conn)
				})
				edit := func(cfg *reconnect.Config) { cfg.WriteTimeout = -1 }
				c := connectSession(t, p, edit, func(_ context.Context, c *reconnect.Client) error {
					time.Sleep(time.Minute + begin)
					n, err := c.Write([]byte("goodbye"))
					assert.Equal(t, 7, n)
					return err
				})
				time.Sleep(time.Minute)
				begun := time.Now()
				require.NoError(t, c.Shutdown(context.Background()))
				assert.Equal(t, time.Second, time.Since(begun))
				require.NoError(t, p.Close())
				assert.Equal(t, "goodbye", got.String())
			})
		})
	}
}

func TestShutdownDoesNotWaitForWritesWhereThereAreNone(t *testing.T) {
	for name, d := range map[string]time.Duration{"bounded": 0, "off": -1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) { cfg.WriteTimeout = d })
				time.Sleep(time.Minute)
				begin := time.Now()
				require.NoError(t, c.Shutdown(context.Background()))
				assert.Zero(t, time.Since(begin))
			})
		})
	}
}

func TestShutdownThatGivesUpClosesTheConnectionUnderABlockedWrite(t *testing.T) {
	for name, d := range map[string]time.Duration{"bounded": time.Hour, "off": -1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var stopped time.Time
				p := newPipe(t, nil)
				edit := func(cfg *reconnect.Config) { cfg.WriteTimeout = d }
				c := connectSession(t, p, edit, func(_ context.Context, c *reconnect.Client) error {
					_, err := writeOne(c)
					assert.ErrorIs(t, err, net.ErrClosed)
					assert.Equal(t, time.Second, time.Since(stopped))
					return nil
				})
				time.Sleep(time.Minute)
				stopped = time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				require.Equal(t, context.DeadlineExceeded, c.Shutdown(ctx))
				require.NoError(t, waitDone(t, c))
				assert.Equal(t, time.Second, time.Since(stopped))
				assert.Zero(t, p.Open())
			})
		})
	}
}

// talk exchanges n messages with an echo server.
func talk(t testing.TB, c *reconnect.Client, n int) {
	t.Helper()
	p := []byte("0123456789")
	for range n {
		_, err := c.Write(p)
		require.NoError(t, err)
		_, err = io.ReadFull(c, make([]byte, len(p)))
		require.NoError(t, err)
	}
}

func TestReadOnASocketIsNeverEarlyWhateverWentBefore(t *testing.T) {
	t.Parallel()
	const bound = 20 * time.Millisecond
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			s := testutil.NewEchoServer(t, network)
			c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: bound, WriteTimeout: time.Minute})
			require.NoError(t, c.Connect())
			for range 25 {
				require.NoError(t, c.SetReadDeadline(-1))
				talk(t, c, rand.N(20))
				require.NoError(t, c.ResetReadDeadline())
				for range rand.N(3) {
					begin := time.Now()
					_, err := readOne(c)
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					require.GreaterOrEqual(t, time.Since(begin), bound)
				}
			}
			require.EqualValues(t, 1, c.Status().Sessions)
		})
	}
}

// fastest gives the shortest time that a time-out of a call took.
func fastest(t *testing.T, remote string, bound time.Duration, n int, do call) time.Duration {
	c := newClient(t, &reconnect.Config{Remote: remote, ReadTimeout: bound, WriteTimeout: bound})
	require.NoError(t, c.Connect())
	best := time.Duration(1<<63 - 1)
	for range n {
		begin := time.Now()
		_, err := do(c)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.GreaterOrEqual(t, time.Since(begin), bound)
		best = min(best, time.Since(begin))
	}
	return best
}

// writeTooMuch writes more than there is room for.
func writeTooMuch(c *reconnect.Client) (int, error) { return c.Write(tooMuch) }

var tooMuch = make([]byte, 32<<20)

func TestCallsOnSocketsAreBoundedInProportion(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		for name, do := range map[string]call{"Read": readOne, "Write": writeTooMuch} {
			t.Run(network+" "+name, func(t *testing.T) {
				t.Parallel()
				s := testutil.NewServer(t, network, func(net.Conn) {})
				s.SetSilent(true)
				const short, factor = 40 * time.Millisecond, 5
				a := fastest(t, s.Remote(), short, 5, do)
				b := fastest(t, s.Remote(), factor*short, 3, do)
				assert.Less(t, float64(b), 1.5*factor*float64(a))
			})
		}
	}
}

func TestConcurrentReadsOnASocketAreBoundedTogetherNotInTurn(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			s := testutil.NewEchoServer(t, network)
			const bound, readers = 100 * time.Millisecond, 20
			c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: bound})
			require.NoError(t, c.Connect())
			begin := time.Now()
			_, err := readOne(c)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			alone := time.Since(begin)

			begin = time.Now()
			var wg sync.WaitGroup
			for range readers {
				wg.Go(func() {
					begin := time.Now()
					_, err := readOne(c)
					assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
					assert.GreaterOrEqual(t, time.Since(begin), bound)
				})
			}
			wg.Wait()
			assert.Less(t, time.Since(begin), readers/2*alone)
		})
	}
}

func TestPartialWriteOnASocketIsCountedToTheByte(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		drain := make(chan struct{})
		total := make(chan int64, 1)
		s := testutil.NewServer(t, network, func(conn net.Conn) {
			<-drain
			n, _ := io.Copy(io.Discard, conn)
			total <- n
		})
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), WriteTimeout: 30 * time.Millisecond,
			OnSession: func(ctx context.Context) error {
				<-ctx.Done()
				return nil
			}})
		require.NoError(t, c.Connect())
		var sum int64
		for range 3 {
			n, err := writeTooMuch(c)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.Less(t, n, len(tooMuch))
			sum += int64(n)
		}
		require.Positive(t, sum)
		require.EqualValues(t, sum, c.Status().BytesWritten)
		close(drain)
		require.NoError(t, c.Shutdown(guarded(t)))
		require.Equal(t, sum, receive(t, total))
		require.EqualValues(t, sum, c.Status().BytesWritten)
	}
}

func TestConcurrentWritesOnASocketDoNotInterleave(t *testing.T) {
	const writers, each = 8, 20
	for _, network := range []string{"tcp", "unix"} {
		bad := make(chan string, 1)
		s := testutil.NewServer(t, network, func(conn net.Conn) {
			defer close(bad)
			p := make([]byte, 100_000)
			for range writers * each {
				if _, err := io.ReadFull(conn, p); err != nil {
					bad <- err.Error()
					return
				}
				if bytes.Count(p, p[:1]) != len(p) {
					bad <- "interleaved"
					return
				}
			}
		})
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), WriteTimeout: time.Minute,
			WaitReconnect: reconnect.NewDoNotReconnectWaiter(nil)})
		require.NoError(t, c.Connect())
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				p := bytes.Repeat([]byte{byte(i)}, 100_000)
				for range each {
					n, err := c.Write(p)
					assert.NoError(t, err)
					assert.Equal(t, len(p), n)
				}
			})
		}
		wg.Wait()
		assert.Empty(t, receive(t, bad))
	}
}

func TestWorkersSayGoodbyeAfterTheStop(t *testing.T) {
	for name, delay := range map[string]time.Duration{"blocked before": -time.Second, "begun after": time.Second / 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got bytes.Buffer
				p := newPipe(t, func(conn net.Conn) {
					time.Sleep(time.Minute + time.Second) // a second after the stop
					_, _ = io.Copy(&got, conn)
				})
				c := connectPipe(t, p, nil)
				c.Go(func(context.Context) error {
					time.Sleep(time.Minute + delay)
					n, err := c.Write([]byte("goodbye"))
					assert.Equal(t, 7, n)
					return err
				})
				time.Sleep(time.Minute)
				begun := time.Now()
				require.NoError(t, c.Shutdown(context.Background()))
				assert.Equal(t, time.Second, time.Since(begun))
				require.NoError(t, p.Close())
				assert.Equal(t, "goodbye", got.String())
			})
		})
	}
}

func TestAWorkerThatLingersDelaysTheCloseForTheGraceOfWritesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan time.Time, 1)
		p := newPipe(t, func(conn net.Conn) {
			_, _ = io.Copy(io.Discard, conn)
			closed <- time.Now()
		})
		c := connectPipe(t, p, nil)
		c.Go(func(context.Context) error {
			time.Sleep(time.Hour)
			return nil
		})
		time.Sleep(time.Minute)
		begun := time.Now()
		require.NoError(t, c.Shutdown(context.Background()))
		assert.Equal(t, time.Hour-time.Minute, time.Since(begun))
		assert.Equal(t, reconnect.DefaultWriteTimeout, (<-closed).Sub(begun))
	})
}
func TestWorkersWriteThatBlocksAtTheStopKeepsItsGraceWithoutOnSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got bytes.Buffer
		p := newPipe(t, func(conn net.Conn) {
			time.Sleep(time.Minute + time.Second) // a second after the stop
			_, _ = io.Copy(&got, conn)
		})
		c := connectPipe(t, p, nil)
		c.Go(func(context.Context) error {
			time.Sleep(time.Minute - time.Second)
			n, err := c.Write([]byte("goodbye"))
			assert.Equal(t, 7, n)
			return err
		})
		time.Sleep(time.Minute)
		begun := time.Now()
		require.NoError(t, c.Shutdown(context.Background()))
		assert.Equal(t, time.Second, time.Since(begun))
		require.NoError(t, p.Close())
		assert.Equal(t, "goodbye", got.String())
	})
}

func TestWriteOnASocketThatBlocksAtTheStopKeepsItsGrace(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for name, d := range map[string]time.Duration{"bounded": hangGuard, "off": -1} {
			t.Run(network+" "+name, func(t *testing.T) {
				begun, drain, total := make(chan struct{}), make(chan struct{}), make(chan int64, 1)
				s := testutil.NewServer(t, network, func(conn net.Conn) {
					_, _ = conn.Read(make([]byte, 1))
					close(begun)
					<-drain
					n, _ := io.Copy(io.Discard, conn)
					total <- n
				})
				c := newClient(t, &reconnect.Config{Remote: s.Remote(), WriteTimeout: d})
				require.NoError(t, c.Connect())
				c.Go(func(context.Context) error {
					n, err := writeTooMuch(c)
					assert.NoError(t, err)
					assert.Equal(t, len(tooMuch), n)
					return nil
				})
				receive(t, begun)
				c.Cancel(nil)
				close(drain)
				require.NoError(t, waitDone(t, c))
				assert.EqualValues(t, len(tooMuch)-1, receive(t, total))
			})
		}
	}
}

// panickyConn panics in the first Read, when it is told to.
type panickyConn struct {
	net.Conn
	reads   atomic.Int32
	reading chan struct{}
	panics  chan struct{}
}

func (c *panickyConn) Read(p []byte) (int, error) {
	if c.reads.Add(1) > 1 {
		return c.Conn.Read(p)
	}
	close(c.reading)
	<-c.panics
	panic("read")
}

func TestReadBehindOneThatPanicsReturnsWhenTheSessionIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		panicky := &panickyConn{reading: make(chan struct{}), panics: make(chan struct{})}
		cfg := pipeConfig(p)
		cfg.Dialer = dialer.Func(func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := p.DialContext(ctx, network, address)
			panicky.Conn = conn
			return panicky, err
		})
		var c *reconnect.Client
		cfg.OnSession = func(context.Context) error {
			assert.NoError(t, c.SetReadDeadline(0))
			_, err := c.Read(make([]byte, 1))
			return err
		}
		c = newClient(t, cfg)
		require.NoError(t, c.Connect())
		<-panicky.reading
		behind := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			behind <- err
		}()
		synctest.Wait()
		close(panicky.panics)
		var stop *core.PanicError
		require.ErrorAs(t, c.Wait(), &stop)
		select {
		case <-behind:
		case <-time.After(time.Hour):
			t.Error("the other Read hangs")
		}
	})
}

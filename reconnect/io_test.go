package reconnect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

var _ io.ReadWriteCloser = (*reconnect.Client)(nil)

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
	onStreams(t, func(t *testing.T, network string) {
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
			bubble(t, name+" of "+dir, func(t *testing.T) {
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
				synctest.Wait() // until OnSession runs
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
				require.ErrorIs(t, receive(t, cause), tc.err)
			})
		}
	}
}

// A heldConn holds up the calls in one direction, and lets the others through.
type heldConn struct {
	net.Conn
	holds   string // "Read" or "Write"
	held    chan struct{}
	release chan struct{}
}

func (c *heldConn) call(name string, p []byte) (int, error) {
	if c.holds == name {
		c.held <- struct{}{}
		<-c.release
	}
	return len(p), nil
}

func (c *heldConn) Read(p []byte) (int, error)  { return c.call("Read", p) }
func (c *heldConn) Write(p []byte) (int, error) { return c.call("Write", p) }

// No virtual time here: a lock that is shared would stop that, and with it
// whatever ends a test that hangs.
func TestReadAndWriteShareNoLock(t *testing.T) {
	for held, other := range map[string]string{"Read": "Write", "Write": "Read"} {
		for how, d := range map[string]time.Duration{"bounded": time.Hour, "not bounded": -1} {
			t.Run(held+" blocks, "+how, func(t *testing.T) {
				conn := &heldConn{holds: held, held: make(chan struct{}, 1), release: make(chan struct{})}
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				cfg.ReadTimeout, cfg.WriteTimeout = d, d
				cfg.Dialer = wrapped(p, func(inner net.Conn) net.Conn { conn.Conn = inner; return conn })
				c := newClient(t, cfg)
				require.NoError(t, c.Connect())
				var wg sync.WaitGroup
				defer wg.Wait()
				defer close(conn.release)
				wg.Go(func() { _, err := calls()[held](c); assert.NoError(t, err) })
				receive(t, conn.held)
				passed := make(chan error, 1)
				wg.Go(func() {
					var err error
					for range 10 {
						_, e := calls()[other](c)
						err = errors.Join(err, e, c.ResetDeadline())
					}
					passed <- err
				})
				require.NoError(t, receive(t, passed))
			})
		}
	}
}

func TestWriteThatTimesOutTellsHowMuchWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, func(conn net.Conn) {
			_, _ = io.ReadFull(conn, make([]byte, 3))
			time.Sleep(3 * bound)
			_, _ = io.Copy(io.Discard, conn)
		})
		c := connectPipe(t, p, nil)
		n, err := c.Write([]byte("abcdefgh"))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, 3, n)
		assert.EqualValues(t, 3, c.Status().BytesWritten)
		time.Sleep(3 * bound)
		n, err = c.Write([]byte("defgh"))
		assert.NoError(t, err)
		assert.Equal(t, 5, n)
		assert.EqualValues(t, 8, c.Status().BytesWritten)
		assert.EqualValues(t, 1, c.Status().Sessions)
	})
}

func TestPartialWriteOnASocketIsCountedToTheByte(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		drain := make(chan struct{})
		total := make(chan int64, 1)
		s := testutil.NewServer(t, network, func(conn net.Conn) {
			<-drain
			n, _ := io.Copy(io.Discard, conn)
			total <- n
		})
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), WriteTimeout: 30 * time.Millisecond,
			OnSession: untilDone})
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
	})
}

func TestConcurrentWritesOnASocketDoNotInterleave(t *testing.T) {
	const writers, each = 8, 20
	onStreams(t, func(t *testing.T, network string) {
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
	})
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
		cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn {
			panicky.Conn = conn
			return panicky
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

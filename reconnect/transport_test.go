package reconnect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
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

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// idleError is what QUIC says of a peer that is silent: its connection is gone.
type idleError struct{}

func (idleError) Error() string        { return "no recent network activity" }
func (idleError) Timeout() bool        { return true }
func (idleError) Temporary() bool      { return false }
func (idleError) Is(target error) bool { return target == net.ErrClosed }

func TestTimeoutOfTheTransportsOwnEndsTheSession(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"timeouts off": -1, "far away": time.Hour} {
		eachCall(t, func(t *testing.T, do call) {
			p := newPipe(t, nil)
			c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.ReadTimeout, cfg.WriteTimeout = timeout, timeout })
			conn := fakeConn(t, p)
			conn.FailRead(idleError{})
			conn.FailWrite(idleError{})
			_, err := do(c)
			require.ErrorIs(t, err, idleError{}, name)
			synctest.Wait()
			require.EqualValues(t, 2, c.Status().Sessions, name)
		})
	}
}

// muxError is what a multiplexer calls the end of a deadline.
type muxError struct{}

func (muxError) Error() string   { return "deadline reached" }
func (muxError) Timeout() bool   { return true }
func (muxError) Temporary() bool { return true }

// muxConn has an error of its own for a deadline that has passed.
type muxConn struct{ net.Conn }

func (c muxConn) say(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return muxError{}
	}
	return err
}

func (c muxConn) Read(b []byte) (int, error)  { n, err := c.Conn.Read(b); return n, c.say(err) }
func (c muxConn) Write(b []byte) (int, error) { n, err := c.Conn.Write(b); return n, c.say(err) }

func TestTimeoutMatchesTheStandardErrorWhateverTheTransportCallsIt(t *testing.T) {
	for name, fix := range map[string]func(*reconnect.Client) error{
		"own bound": func(*reconnect.Client) error { return nil },
		"deadline":  func(c *reconnect.Client) error { return c.SetDeadline(time.Second, 0) },
	} {
		eachCall(t, func(t *testing.T, do call) {
			p := newPipe(t, nil)
			c := connectPipe(t, p, func(cfg *reconnect.Config) {
				cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return muxConn{conn} })
			})
			require.NoError(t, fix(c))
			for range 3 {
				_, err := do(c)
				require.ErrorIs(t, err, os.ErrDeadlineExceeded, name)
				require.ErrorIs(t, err, muxError{}, name)
			}
			require.EqualValues(t, 1, c.Status().Sessions, name)
			require.Equal(t, reconnect.Connected, c.State())
		})
	}
}

func TestConnectionLostInWordsOfTheTransportIsWorthARetry(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		stops bool
	}{
		"unknown":   {errors.New("session shutdown"), false},
		"cancelled": {fmt.Errorf("failed to get reader: %w", context.Canceled), false}, // as WebSockets say at a deadline
		"final":     {fmt.Errorf("banned: %w", reconnect.ErrDoNotReconnect), true},
	} {
		for _, worker := range []bool{false, true} {
			eachCall(t, func(t *testing.T, do call) {
				p := newPipe(t, nil)
				failed := func(c *reconnect.Client) error {
					conn := fakeConn(t, p)
					conn.FailRead(tc.err)
					conn.FailWrite(tc.err)
					_, err := do(c)
					assert.ErrorIs(t, err, tc.err, name)
					return err
				}
				c := connectSession(t, p, nil, func(ctx context.Context, c *reconnect.Client) error {
					if worker || c.Status().Sessions > 1 {
						return untilDone(ctx)
					}
					return failed(c)
				})
				if worker {
					c.Go(func(context.Context) error { return failed(c) })
				}
				if tc.stops {
					require.ErrorIs(t, waitDone(t, c), tc.err, name)
					return
				}
				synctest.Wait()
				require.NoError(t, c.Err(), name)
				require.EqualValues(t, 2, c.Status().Sessions, name)
			})
		}
	}
}

// deafConn can't end its half, and says so in words of its own.
type deafConn struct {
	net.Conn
	err error
}

func (c deafConn) CloseWrite() error { return c.err }

func TestConnectionFoundLostByCloseWriteIsWorthARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := errors.New("session shutdown")
		p := newPipe(t, nil)
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return deafConn{conn, own} })
		})
		require.ErrorIs(t, c.CloseWrite(), own)
		synctest.Wait()
		require.NoError(t, c.Err())
		require.EqualValues(t, 2, c.Status().Sessions)
	})
}

// stuckConn times out so many times too early. Once it has timed out at its time it has
// nothing else to give any more, as TLS after a handshake that did.
type stuckConn struct {
	net.Conn
	early int
	stuck error
}

func (c *stuckConn) call(do func([]byte) (int, error), b []byte) (int, error) {
	if c.early > 0 {
		c.early--
		return 0, os.ErrDeadlineExceeded
	}
	if c.stuck != nil {
		return 0, c.stuck
	}
	n, err := do(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.stuck = err
	}
	return n, err
}

func (c *stuckConn) Read(b []byte) (int, error)  { return c.call(c.Conn.Read, b) }
func (c *stuckConn) Write(b []byte) (int, error) { return c.call(c.Conn.Write, b) }

func TestConnectionThatHasOnlyTimeoutsToGiveIsLost(t *testing.T) {
	bound := func(timeout time.Duration) func(*reconnect.Config) {
		return func(cfg *reconnect.Config) { cfg.ReadTimeout, cfg.WriteTimeout = timeout, timeout }
	}
	for name, tc := range map[string]struct {
		edit func(*reconnect.Config)
		fix  time.Duration
	}{
		"own bound":              {bound(time.Second), 0},
		"deadline":               {bound(time.Second), 3 * time.Second},
		"deadline, timeouts off": {bound(-1), 3 * time.Second},
	} {
		eachCall(t, func(t *testing.T, do call) {
			p := newPipe(t, nil)
			edit := func(cfg *reconnect.Config) {
				tc.edit(cfg)
				cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return &stuckConn{Conn: conn} })
			}
			timeouts := 0
			c := connectSession(t, p, edit, func(ctx context.Context, c *reconnect.Client) error {
				if c.Status().Sessions > 1 {
					return untilDone(ctx)
				}
				for ; ; timeouts++ {
					if tc.fix > 0 {
						assert.NoError(t, c.SetDeadline(tc.fix, 0))
					}
					if _, err := do(c); !errors.Is(err, os.ErrDeadlineExceeded) || timeouts > 100 {
						return err
					}
				}
			})
			time.Sleep(time.Minute)
			synctest.Wait()
			require.EqualValues(t, 2, c.Status().Sessions, name)
			require.Equal(t, 1, timeouts, name)
			require.ErrorIs(t, c.Status().LastError, syscall.EPIPE, name)
		})
	}
}

func TestTimeoutThatComesTooEarlyIsNotTold(t *testing.T) {
	for name, fix := range map[string]func(*reconnect.Client) error{
		"own bound": func(*reconnect.Client) error { return nil },
		"deadline":  func(c *reconnect.Client) error { return c.SetDeadline(2*time.Second, 0) },
	} {
		eachCall(t, func(t *testing.T, do call) {
			p := newPipe(t, nil)
			conn := &stuckConn{}
			c := connectPipe(t, p, func(cfg *reconnect.Config) {
				cfg.ReadTimeout, cfg.WriteTimeout = 2*time.Second, 2*time.Second
				cfg.Dialer = wrapped(p, func(c net.Conn) net.Conn { conn.Conn = c; return conn })
			})
			for range 3 {
				conn.early, conn.stuck = 1, nil
				require.NoError(t, fix(c))
				begin := time.Now()
				_, err := do(c)
				require.ErrorIs(t, err, os.ErrDeadlineExceeded, name)
				require.GreaterOrEqual(t, time.Since(begin), 2*time.Second, name)
			}
			require.EqualValues(t, 1, c.Status().Sessions)
		})
	}
}

// The handshake is left to the first Read, and the server says nothing.
func TestHandshakeThatTimesOutInAReadEndsTheSession(t *testing.T) {
	s := testutil.NewServer(t, "tcp", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: 100 * time.Millisecond,
		WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
		Dialer: wrapped(dialer.New(dialer.Config{}), func(conn net.Conn) net.Conn {
			return tls.Client(conn, &tls.Config{ServerName: "server.test"})
		})}, patient)
	require.NoError(t, c.Connect())
	c.Go(func(ctx context.Context) error {
		for ctx.Err() == nil {
			_, _ = readOne(c) // whatever it says
		}
		return nil
	})
	require.NoError(t, s.WaitAccepted(guarded(t), 3))
	require.NoError(t, c.Shutdown(guarded(t)))
}

// movedConn has so many time-outs to tell from before its deadline was moved.
type movedConn struct {
	net.Conn
	early atomic.Int32
}

func (c *movedConn) Read(b []byte) (int, error) {
	if c.early.Add(-1) >= 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return c.Conn.Read(b)
}

func TestDeadlineThatIsMovedAtTheLastMomentEndsNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const readers = 8
		p := newPipe(t, nil)
		conn := &movedConn{}
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			unbounded(cfg)
			cfg.Dialer = wrapped(p, func(c net.Conn) net.Conn { conn.Conn = c; return conn })
		})
		conn.early.Store(readers)
		require.NoError(t, c.SetReadDeadline(time.Minute))
		begin := time.Now()
		var wg sync.WaitGroup
		for range readers {
			wg.Go(func() {
				_, err := readOne(c)
				assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
				assert.Equal(t, time.Minute, time.Since(begin))
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, c.Status().Sessions)
	})
}

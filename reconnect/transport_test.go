package reconnect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
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

func TestDeadlineThatIsMovedAtTheLastMomentEndsNoSession(t *testing.T) {
	for name, own := range map[string]bool{"standard": false, "words of its own": true} {
		for readers := range 3 {
			bubble(t, name, func(t *testing.T) {
				p := newPipe(t, nil)
				c := connectPipe(t, p, func(cfg *reconnect.Config) {
					unbounded(cfg)
					if own {
						cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return muxConn{conn} })
					}
				})
				require.NoError(t, c.SetReadDeadline(time.Second))
				for range readers + 1 {
					go func() {
						for c.Context().Err() == nil {
							_, _ = readOne(c)
						}
					}()
				}
				for range 100 {
					time.Sleep(time.Second)
					require.NoError(t, c.SetReadDeadline(time.Second))
				}
				time.Sleep(time.Second / 2)
				require.EqualValues(t, 1, c.Status().Sessions, "%v", c.Status().LastError)
				c.Cancel(nil)
			})
		}
	}
}

// deafTLS is a server that reads nothing after the handshake.
func deafTLS(t *testing.T) *testutil.PipeListener {
	cert, _ := certificate(t, "server.test", time.Hour)
	done := make(chan struct{})
	p := newPipe(t, func(conn net.Conn) {
		if tls.Server(conn, serverConfig(cert).Load()).Handshake() == nil {
			<-done
		}
	})
	t.Cleanup(func() { close(done) }) // before that of p
	return p
}

func TestWriteOverTLSThatTimesOutMatchesTheStandardErrorWhateverTheTransportCallsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := deafTLS(t)
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.TLSConfig = &tls.Config{InsecureSkipVerify: true}
			cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return muxConn{conn} })
		})
		_, err := c.Write([]byte("hello"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		synctest.Wait()
		require.EqualValues(t, 1, c.Status().Sessions)
	})
}

func TestLossThatIsToldWhenADeadlineIsSetIsWorthARetry(t *testing.T) {
	eachCall(t, func(t *testing.T, do call) {
		p := newPipe(t, nil)
		lost := false
		edit := func(cfg *reconnect.Config) {
			cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return &goneConn{conn, &lost} })
		}
		c := connectSession(t, p, edit, func(ctx context.Context, c *reconnect.Client) error {
			if c.Status().Sessions > 1 {
				return untilDone(ctx)
			}
			_, err := do(c)
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
			lost = true
			_, err = do(c)
			lost = false
			assert.ErrorIs(t, err, errGone)
			return err
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		require.NoError(t, c.Err())
		require.EqualValues(t, 2, c.Status().Sessions)
	})
}

var errGone = errors.New("session shutdown")

// goneConn says of a deadline that it is lost.
type goneConn struct {
	net.Conn
	lost *bool
}

func (c *goneConn) set(set func(time.Time) error, t time.Time) error {
	if *c.lost {
		return errGone
	}
	return set(t)
}

func (c *goneConn) SetReadDeadline(t time.Time) error  { return c.set(c.Conn.SetReadDeadline, t) }
func (c *goneConn) SetWriteDeadline(t time.Time) error { return c.set(c.Conn.SetWriteDeadline, t) }

// stuckConn has nothing but time-outs to give once it has timed out, as TLS after a
// handshake that did.
type stuckConn struct {
	net.Conn
	stuck error
}

func (c *stuckConn) call(do func([]byte) (int, error), b []byte) (int, error) {
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
	always := func(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }
	for name, tc := range map[string]struct {
		edit func(*reconnect.Config)
		fix  func(n int) time.Duration // negative: don't
	}{
		"own bound":              {bound(time.Second), always(-1)},
		"deadline":               {bound(time.Second), always(3 * time.Second)},
		"deadline, timeouts off": {bound(-1), always(3 * time.Second)},
		"no deadline any more": {bound(-1), func(n int) time.Duration {
			if n == 0 {
				return time.Second
			}
			return 0
		}},
	} {
		eachCall(t, func(t *testing.T, do call) {
			p := newPipe(t, nil)
			edit := func(cfg *reconnect.Config) {
				tc.edit(cfg)
				cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return &stuckConn{Conn: conn} })
			}
			c := connectSession(t, p, edit, func(ctx context.Context, c *reconnect.Client) error {
				if c.Status().Sessions > 1 {
					return untilDone(ctx)
				}
				for n := 0; ; n++ {
					if d := tc.fix(n); d >= 0 {
						assert.NoError(t, c.SetDeadline(d, 0))
					}
					if _, err := do(c); !errors.Is(err, os.ErrDeadlineExceeded) || n > 5000 {
						return err
					}
				}
			})
			time.Sleep(time.Minute)
			synctest.Wait()
			require.EqualValues(t, 2, c.Status().Sessions, name)
			require.ErrorIs(t, c.Status().LastError, syscall.EPIPE, name)
		})
	}
}

// A deadline of the user's own, on the connection, isn't the client's business.
func TestTimeoutsThatTakeTheirTimeEndNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.ReadTimeout = -1 })
		conn := fakeConn(t, p)
		begin := time.Now()
		for range 3000 {
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Millisecond)))
			_, err := readOne(c)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		}
		require.Equal(t, 3*time.Second, time.Since(begin))
		require.EqualValues(t, 1, c.Status().Sessions)
	})
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

func TestLossThatASetterOfDeadlinesMeetsIsWorthARetry(t *testing.T) {
	for name, set := range map[string]func(*reconnect.Client) error{
		"SetReadDeadline":    func(c *reconnect.Client) error { return c.SetReadDeadline(time.Second) },
		"ResetWriteDeadline": (*reconnect.Client).ResetWriteDeadline,
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			lost := false
			edit := func(cfg *reconnect.Config) {
				cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return &goneConn{conn, &lost} })
			}
			c := connectSession(t, p, edit, func(ctx context.Context, c *reconnect.Client) error {
				if c.Status().Sessions > 1 {
					return untilDone(ctx)
				}
				assert.NoError(t, set(c))
				lost = true
				err := set(c)
				lost = false
				assert.ErrorIs(t, err, errGone)
				return err
			})
			synctest.Wait()
			require.NoError(t, c.Err())
			require.EqualValues(t, 2, c.Status().Sessions)
		})
	}
}

// framedConn ends its half by a record of its own.
type framedConn struct{ net.Conn }

func (c framedConn) CloseWrite() error {
	_, err := c.Conn.Write([]byte{0})
	return err
}

func TestCloseWriteThatWritesIsBoundedByItsOwnTimeout(t *testing.T) {
	for name, reads := range map[string]bool{"long after a Write": true, "of a peer that doesn't read": false} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 1))
				if reads {
					_, _ = io.Copy(io.Discard, conn)
				}
			})
			if !reads {
				p = newPipe(t, nil)
			}
			c := connectPipe(t, p, func(cfg *reconnect.Config) {
				cfg.WriteTimeout = 10 * time.Second
				cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return framedConn{conn} })
			})
			if reads {
				_, err := c.Write([]byte("x"))
				require.NoError(t, err)
				time.Sleep(20 * time.Second)
				require.NoError(t, c.CloseWrite())
				return
			}
			begin := time.Now()
			require.ErrorIs(t, c.CloseWrite(), syscall.EPIPE)
			took := time.Since(begin)
			assert.GreaterOrEqual(t, took, 10*time.Second)
			assert.LessOrEqual(t, took, 10*time.Second*17/16)
		})
	}
}

// recordingConn remembers the deadline for writes.
type recordingConn struct {
	net.Conn
	deadline atomic.Int64
}

func (c *recordingConn) SetWriteDeadline(t time.Time) error {
	c.deadline.Store(t.UnixNano())
	return c.Conn.SetWriteDeadline(t)
}

// A Read over TLS writes as well where the peer wants new keys.
func TestWriteOverTLSThatTimesOutLeavesNoneUnbounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := deafTLS(t)
		conn := &recordingConn{}
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.TLSConfig = &tls.Config{InsecureSkipVerify: true}
			cfg.Dialer = wrapped(p, func(c net.Conn) net.Conn { conn.Conn = c; return conn })
		})
		_, err := c.Write([]byte("hello"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		for name, do := range map[string]func() error{
			"nothing": func() error { return nil },
			"a reset": c.ResetWriteDeadline,
			"a deadline, taken back": func() error {
				_ = c.SetWriteDeadline(time.Hour)
				return c.ResetDeadline()
			},
		} {
			require.NoError(t, do())
			assert.LessOrEqual(t, conn.deadline.Load(), time.Now().UnixNano(), name)
			assert.Greater(t, conn.deadline.Load(), time.Time{}.UnixNano(), name)
		}
		require.EqualValues(t, 1, c.Status().Sessions)
	})
}

package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestCloseDropsTheConnectionAndTheClientReconnects(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: -1,
			WaitReconnect: reconnect.NewImmediateErrorWaiter(nil)}, patient)
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
	onStreams(t, func(t *testing.T, network string) {
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
	})
}

// dialectConn has an error of its own for a connection that was closed here, as those
// of multiplexers have, or the pipes of a process.
type dialectConn struct {
	net.Conn
	closed error
}

func (c *dialectConn) say(err error) error {
	if errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) {
		return c.closed
	}
	return err
}

func (c *dialectConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.say(err)
}

func (c *dialectConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, c.say(err)
}

func (c *dialectConn) CloseWrite() error {
	return c.say(c.Conn.(*net.TCPConn).CloseWrite())
}

func TestClientKnowsThatItHasClosedTheConnectionWhateverTheTransportCallsThat(t *testing.T) {
	own := errors.New("stream closed")
	drop := func(c *reconnect.Client, _ *testutil.PipeListener) error { return c.Close() }
	for name, tc := range map[string]struct {
		closed  error
		through bool // the client
		worker  bool
		drop    func(*reconnect.Client, *testutil.PipeListener) error
	}{
		"a session's Read":  {closed: own, through: true, drop: drop},
		"a worker's":        {closed: own, through: true, worker: true, drop: drop},
		"on the connection": {closed: &os.PathError{Op: "read", Path: "|0", Err: os.ErrClosed}, drop: drop},
		"a worker's after a loss": {closed: own, through: true, worker: true, drop: func(c *reconnect.Client, p *testutil.PipeListener) error {
			p.Conns()[0].FailWrite(syscall.EPIPE)
			_, err := c.Write([]byte("x"))
			assert.ErrorIs(t, err, syscall.EPIPE)
			return nil
		}},
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			read := func(ctx context.Context, c *reconnect.Client) error {
				var r io.Reader = c
				if !tc.through {
					r = reconnect.ConnFrom(ctx)
				}
				_, err := r.Read(make([]byte, 1))
				if tc.through {
					assert.ErrorIs(t, err, reconnect.ErrNotConnected)
				}
				return err
			}
			edit := func(cfg *reconnect.Config) {
				unbounded(cfg)
				cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return &dialectConn{conn, tc.closed} })
			}
			c := connectSession(t, p, edit, func(ctx context.Context, c *reconnect.Client) error {
				if tc.worker || c.Status().Sessions > 1 {
					return untilDone(ctx)
				}
				return read(ctx, c)
			})
			if tc.worker {
				c.Go(func(ctx context.Context) error { return read(ctx, c) })
			}
			synctest.Wait()
			require.NoError(t, tc.drop(c, p))
			synctest.Wait()
			require.NoError(t, c.Err())
			require.EqualValues(t, 2, c.Status().Sessions)
		})
	}
}

// onceConn can't be closed twice.
type onceConn struct {
	net.Conn
	closed bool
}

func (c *onceConn) Close() error {
	if c.closed {
		return errors.New("channel closed")
	}
	c.closed = true
	return c.Conn.Close()
}

func TestSecondCloseOfAConnectionIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		edit := func(cfg *reconnect.Config) {
			cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return &onceConn{Conn: conn} })
		}
		c := connectSession(t, p, edit, func(_ context.Context, c *reconnect.Client) error {
			assert.NoError(t, c.Close())
			assert.NoError(t, c.Close())
			return reconnect.ErrDoNotReconnect
		})
		require.NoError(t, waitDone(t, c))
	})
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

// stubbornConn answers reads and writes only when the test wants it to.
type stubbornConn struct {
	net.Conn
	late chan error
}

func (c *stubbornConn) Read([]byte) (int, error)  { return 0, <-c.late }
func (c *stubbornConn) Write([]byte) (int, error) { return 0, <-c.late }

func TestLateReportAboutAnOldConnectionLeavesTheCurrentOneAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		rec := testutil.NewRecorder()
		cfg := pipeConfig(p)
		var conns []*stubbornConn
		cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn {
			conns = append(conns, &stubbornConn{Conn: conn, late: make(chan error)})
			return conns[len(conns)-1]
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
			bubble(t, name+" "+how, func(t *testing.T) {
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
		}
	}
}

func TestGoodbyeUnderWayThatARequestCutsShortIsNoErrorToReport(t *testing.T) {
	for name, drop := range map[string]func(*reconnect.Client) error{
		"Close":     (*reconnect.Client).Close,
		"Reconnect": (*reconnect.Client).Reconnect,
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, func(conn net.Conn) { <-t.Context().Done() })
			var c *reconnect.Client
			cfg := pipeConfig(p)
			cfg.OnSession = func(context.Context) error {
				_, _ = c.Read(make([]byte, 1)) // whose error is what ends the session
				return nil
			}
			cfg.OnDisconnect = func(_ context.Context, conn net.Conn) error {
				_, err := conn.Write([]byte("bye")) // to a peer that doesn't read
				return err
			}
			cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
				t.Errorf("told of %v", err)
				return nil
			}
			c = newClient(t, cfg)
			require.NoError(t, c.Connect())
			synctest.Wait()
			p.Conns()[0].FailRead(io.EOF)
			synctest.Wait()
			require.NoError(t, drop(c))
			require.NoError(t, p.WaitDials(guarded(t), 2))
			require.NoError(t, c.Shutdown(guarded(t))) // before the handlers end
		})
	}
}

func TestGoodbyeThatFailsForARequestToDropTheConnectionIsNoErrorToReport(t *testing.T) {
	odd := errors.New("odd")
	for name, drop := range map[string]func(*reconnect.Client) error{
		"Close":     (*reconnect.Client).Close,
		"Reconnect": (*reconnect.Client).Reconnect,
	} {
		for how, goodbye := range map[string]func(net.Conn) error{
			"read": func(conn net.Conn) error {
				_, err := conn.Read(make([]byte, 1))
				return fmt.Errorf("no goodbye: %w", err)
			},
			"write": func(conn net.Conn) error {
				_, err := conn.Write([]byte("bye"))
				return err
			},
			"own": func(net.Conn) error { return odd },
		} {
			bubble(t, name+" "+how, func(t *testing.T) {
				p := newPipe(t, testutil.Echo)
				var told []error
				cfg := pipeConfig(p)
				cfg.OnDisconnect = func(_ context.Context, conn net.Conn) error { return goodbye(conn) }
				cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
					told = append(told, err)
					return nil
				}
				c := newClient(t, cfg)
				require.NoError(t, c.Connect())
				synctest.Wait()
				require.NoError(t, drop(c))
				require.NoError(t, p.WaitDials(guarded(t), 2))
				synctest.Wait()
				if how == "own" {
					assert.Equal(t, []error{odd}, told)
				} else {
					assert.Empty(t, told)
				}
			})
		}
	}
}

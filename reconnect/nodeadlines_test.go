package reconnect_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

var errNoDeadlines = errors.New("deadline not supported")

// timelessConn is a transport without deadlines, such as a channel of SSH.
type timelessConn struct{ net.Conn }

func (timelessConn) SetDeadline(time.Time) error      { return errNoDeadlines }
func (timelessConn) SetReadDeadline(time.Time) error  { return errNoDeadlines }
func (timelessConn) SetWriteDeadline(time.Time) error { return errNoDeadlines }

// timeless makes a client's connections to p such a transport.
func timeless(cfg *reconnect.Config, p *testutil.PipeListener) {
	cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return timelessConn{conn} })
}

// requireNoDeadlines demands an error that tells what the connection lacks.
func requireNoDeadlines(t testing.TB, err error) {
	t.Helper()
	require.ErrorIs(t, err, errNoDeadlines)
	require.ErrorContains(t, err, "connection without deadlines")
}

func TestWhatEndsTheConnectionEndsAReadOnOneWithoutDeadlines(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(*reconnect.Client) error
		want error
	}{
		"Shutdown":  {func(c *reconnect.Client) error { return c.Shutdown(context.Background()) }, reconnect.ErrClosed},
		"Reconnect": {(*reconnect.Client).Reconnect, reconnect.ErrNotConnected},
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			ended := make(chan error, 1)
			edit := func(cfg *reconnect.Config) { unbounded(cfg); timeless(cfg, p) }
			c := connectSession(t, p, edit, func(ctx context.Context, c *reconnect.Client) error {
				if c.Status().Sessions > 1 {
					return untilDone(ctx)
				}
				_, err := readOne(c)
				ended <- err
				return err
			})
			synctest.Wait()
			begin := time.Now()
			require.NoError(t, tc.end(c))
			require.ErrorIs(t, receive(t, ended), tc.want)
			assert.Zero(t, time.Since(begin))
			if tc.want == reconnect.ErrNotConnected {
				synctest.Wait()
				require.EqualValues(t, 2, c.Status().Sessions)
				require.Equal(t, reconnect.Connected, c.State())
			}
		})
	}
}

func TestCallWithATimeoutFailsOnAConnectionWithoutDeadlines(t *testing.T) {
	eachCall(t, func(t *testing.T, do call) {
		p := newPipe(t, nil)
		ended, cause := make(chan error, 1), make(chan error, 1)
		c := connectSession(t, p, func(cfg *reconnect.Config) { timeless(cfg, p) },
			func(ctx context.Context, c *reconnect.Client) error {
				go func() { _, err := do(c); ended <- err }()
				<-ctx.Done()
				cause <- context.Cause(ctx)
				return reconnect.ErrDoNotReconnect
			})
		requireNoDeadlines(t, receive(t, ended))
		requireNoDeadlines(t, receive(t, cause))
		require.NoError(t, waitDone(t, c))
	})
}

func TestAttemptWithOnConnectFailsOnAConnectionWithoutDeadlines(t *testing.T) {
	for name, off := range map[string]func(*reconnect.Config){
		"both timeouts":  func(*reconnect.Config) {},
		"of reads only":  func(cfg *reconnect.Config) { cfg.WriteTimeout = -1 },
		"of writes only": func(cfg *reconnect.Config) { cfg.ReadTimeout = -1 },
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			timeless(cfg, p)
			off(cfg)
			cfg.WaitReconnect = untilDone
			cfg.OnConnect = func(_ context.Context, conn net.Conn) error {
				_, err := conn.Read(make([]byte, 1)) // nobody speaks
				return err
			}
			c := newClient(t, cfg)
			connected := connecting(c)
			_ = receive(t, connected)
			requireNoDeadlines(t, c.Status().LastError)
			require.Zero(t, c.Status().Sessions)
			assert.Zero(t, p.Open())
		})
	}
}

func TestResetOnAConnectionWithoutDeadlinesLeavesWhoWaitsForATurnAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := make(chan struct{})
		p := newPipe(t, func(conn net.Conn) {
			<-read
			_, _ = io.Copy(io.Discard, conn)
		})
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.ReadTimeout, cfg.WriteTimeout = -1, -1
			cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return timelessConn{conn} })
		})
		var writers sync.WaitGroup
		for range 2 {
			writers.Go(func() {
				_, err := writeOne(c)
				assert.NoError(t, err)
			})
		}
		synctest.Wait()
		require.NoError(t, c.ResetDeadline())
		close(read)
		writers.Wait()
		assert.Equal(t, reconnect.Connected, c.State())
	})
}

func TestSetterThatFailsForLackOfDeadlinesLeavesTheTimeoutsInForce(t *testing.T) {
	eachSetter(t, func(t *testing.T, s setter) {
		p := newPipe(t, nil)
		c := connectPipe(t, p, func(cfg *reconnect.Config) { unbounded(cfg); timeless(cfg, p) })
		require.ErrorIs(t, s.set(c, time.Minute), errNoDeadlines)
		rebind(t, c, time.Minute)
		_, err := s.do(c)
		requireNoDeadlines(t, err)
	})
}

func TestEndOfASessionOnAConnectionWithoutDeadlinesDoesNotWaitForItsClose(t *testing.T) {
	for name, end := range map[string]func(*reconnect.Client) error{
		"Cancel":    func(c *reconnect.Client) error { c.Cancel(nil); return nil },
		"Reconnect": (*reconnect.Client).Reconnect,
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			release := make(chan struct{})
			c := connectSession(t, p, func(cfg *reconnect.Config) {
				unbounded(cfg)
				heldClose(cfg, p, release)
				held := cfg.Dialer
				cfg.Dialer = wrapped(held, func(conn net.Conn) net.Conn { return timelessConn{conn} })
			}, func(ctx context.Context, _ *reconnect.Client) error { return untilDone(ctx) })
			synctest.Wait()
			returned := make(chan error, 1)
			go func() { returned <- end(c) }()
			synctest.Wait()
			require.Len(t, returned, 1)
			require.NoError(t, <-returned)
			close(release)
			require.NoError(t, c.Shutdown(t.Context()))
		})
	}
}

// writeTimelessConn is a transport without deadlines for writes.
type writeTimelessConn struct{ net.Conn }

func (writeTimelessConn) SetWriteDeadline(time.Time) error { return errNoDeadlines }

func TestWhatEndsTheConnectionEndsAWriteOnOneWithoutDeadlinesForIt(t *testing.T) {
	for name, end := range map[string]func(*reconnect.Client) error{
		"Shutdown":  func(c *reconnect.Client) error { return c.Shutdown(context.Background()) },
		"Reconnect": (*reconnect.Client).Reconnect,
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			ended := make(chan error, 1)
			edit := func(cfg *reconnect.Config) {
				unbounded(cfg)
				cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return writeTimelessConn{conn} })
			}
			c := connectSession(t, p, edit, func(ctx context.Context, c *reconnect.Client) error {
				if c.Status().Sessions > 1 {
					return untilDone(ctx)
				}
				_, err := writeOne(c)
				ended <- err
				return err
			})
			synctest.Wait()
			begin := time.Now()
			require.NoError(t, end(c))
			require.Error(t, receive(t, ended))
			assert.Zero(t, time.Since(begin))
			require.NoError(t, c.Shutdown(context.Background()))
		})
	}
}

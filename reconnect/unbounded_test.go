package reconnect_test

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// unbounded takes the timeouts of a client away.
func unbounded(cfg *reconnect.Config) { cfg.ReadTimeout, cfg.WriteTimeout = -1, -1 }

// rebind gives a client both timeouts by a Reload.
func rebind(t testing.TB, c *reconnect.Client, d time.Duration) {
	t.Helper()
	c.Config().ReadTimeout, c.Config().WriteTimeout = d, d
	require.NoError(t, c.Reload())
}

func TestWithTimeoutsOffADeadlineThatTheUserSetsOnTheConnectionStays(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		f := newFile(t, tooMuch)
		for name, do := range map[string]call{"Read": readOne, "Write": writeTooMuch,
			"ReadFrom": func(c *reconnect.Client) (int, error) { n, err := c.ReadFrom(f); return int(n), err },
			"WriteTo":  func(c *reconnect.Client) (int, error) { n, err := c.WriteTo(f); return int(n), err },
		} {
			t.Run(name, func(t *testing.T) {
				conns := make(chan net.Conn, 1)
				l := newCopyLink(t, network, func(cfg *reconnect.Config) {
					unbounded(cfg)
					cfg.OnConnect = func(_ context.Context, conn net.Conn) error { conns <- conn; return nil }
				})
				begin := time.Now()
				require.NoError(t, receive(t, conns).SetDeadline(begin.Add(stall)))
				for range 2 { // once passed it fails every call
					ended := make(chan error, 1)
					go func() { _, err := do(l.Client); ended <- err }()
					require.ErrorIs(t, receive(t, ended), os.ErrDeadlineExceeded)
					require.GreaterOrEqual(t, time.Since(begin), stall)
				}
				require.Equal(t, reconnect.Connected, l.State())
			})
		}
	})
}

func TestWithTimeoutsReloadedToOffADeadlineThatTheUserSetsOnTheConnectionStays(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for name, do := range map[string]call{"Read": readOne, "Write": writeTooMuch} {
			t.Run(name, func(t *testing.T) {
				conns := make(chan net.Conn, 1)
				l := newCopyLink(t, network, func(cfg *reconnect.Config) {
					cfg.OnConnect = func(_ context.Context, conn net.Conn) error { conns <- conn; return nil }
				})
				_, err := writeOne(l.Client) // which leaves a tick
				require.NoError(t, err)
				rebind(t, l.Client, -1)
				require.NoError(t, receive(t, conns).SetDeadline(time.Now().Add(stall)))
				ended := make(chan error, 1)
				go func() { _, err := do(l.Client); ended <- err }()
				require.ErrorIs(t, receive(t, ended), os.ErrDeadlineExceeded)
				require.Equal(t, reconnect.Connected, l.State())
			})
		}
	})
}

func TestCallBegunWithoutABoundKeepsNoneOverAReloadAndLaterOnesHaveIt(t *testing.T) {
	eachCall(t, func(t *testing.T, do call) {
		serve := make(chan struct{})
		c := connectPipe(t, newPipe(t, func(conn net.Conn) {
			<-serve
			var wg sync.WaitGroup
			wg.Go(func() { _, _ = io.Copy(io.Discard, conn) })
			_, _ = conn.Write([]byte("x"))
			wg.Wait()
		}), unbounded)
		first := make(chan error, 1)
		go func() { _, err := do(c); first <- err }()
		synctest.Wait()
		rebind(t, c, bound)
		for range 3 {
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() { assertTimesOut(t, c, do, bound) })
			}
			wg.Wait()
		}
		time.Sleep(1000 * time.Hour)
		require.Empty(t, first)
		close(serve)
		require.NoError(t, <-first)
		require.EqualValues(t, 1, c.Status().Sessions)
	})
}

func TestCallOnASocketBegunWithoutABoundKeepsNoneOverAReloadAndLaterOnesHaveIt(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for name, how := range map[string]struct{ first, later call }{
			"Read":  {readOne, readOne},
			"Write": {writeTooMuch, writeOne},
		} {
			t.Run(name, func(t *testing.T) {
				l := newCopyLink(t, network, unbounded)
				first := blocked(t, func() error { _, err := how.first(l.Client); return err })
				rebind(t, l.Client, stall)
				for range 3 {
					var wg sync.WaitGroup
					for range 3 {
						wg.Go(func() {
							begin := time.Now()
							_, err := how.later(l.Client)
							assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
							assert.GreaterOrEqual(t, time.Since(begin), stall)
						})
					}
					wg.Wait()
				}
				require.Empty(t, first)
				_, err := l.peer.Write([]byte("x"))
				require.NoError(t, err)
				taken := l.take(len(tooMuch))
				require.NoError(t, receive(t, first))
				require.NoError(t, l.Close())
				receive(t, taken)
			})
		}
	})
}

func TestReloadThatSwitchesATimeoutOffLeavesTheUsersOwnDeadlineAlone(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		s := testutil.NewServer(t, network, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		ended := make(chan error, 1)
		reading := make(chan struct{})
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), OnSession: func(ctx context.Context) error {
			conn := reconnect.ConnFrom(ctx)
			if err := conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
				return err
			}
			close(reading)
			_, err := conn.Read(make([]byte, 1))
			ended <- err
			return reconnect.ErrDoNotReconnect
		}})
		require.NoError(t, c.Connect())
		receive(t, reading)
		rebind(t, c, -1)
		assert.ErrorIs(t, receive(t, ended), os.ErrDeadlineExceeded)
		require.NoError(t, waitDone(t, c))
	})
}

func TestReadThatTakesItsTurnIsNotWokenForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), unbounded)
		rebind(t, c, time.Minute)
		ended := make(chan error, 1)
		go func() { _, err := readOne(c); ended <- err }()
		time.Sleep(time.Second)
		require.NoError(t, c.ResetReadDeadline())
		require.NoError(t, c.SetReadDeadline(0))
		time.Sleep(time.Hour)
		assert.Empty(t, ended, "no deadline at all")
	})
}

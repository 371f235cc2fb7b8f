package reconnect_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

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
					cfg.Dialer = wrapped(new(net.Dialer), func(conn net.Conn) net.Conn { return meteredConn{conn, &read, &written} })
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
				cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return lateConn{conn, late} })
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

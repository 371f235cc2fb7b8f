package reconnect_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

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
		bubble(t, name, func(t *testing.T) {
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
	}
}

func TestStopKeepsTheGraceForABlockedWriteOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil) // nobody reads
		edit := func(cfg *reconnect.Config) { cfg.WriteTimeout = -1 }
		c := connectSession(t, p, edit, func(_ context.Context, c *reconnect.Client) error {
			_, err := writeOne(c)
			assert.ErrorIs(t, err, reconnect.ErrClosed)
			return err
		})
		synctest.Wait()
		begin := time.Now()
		require.NoError(t, c.Shutdown(context.Background()))
		assert.Equal(t, 2*time.Second, time.Since(begin))
	})
}

func TestWriteOnASocketThatBlocksAtTheStopKeepsItsGrace(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for name, d := range map[string]time.Duration{"bounded": hangGuard, "off": -1} {
			t.Run(name, func(t *testing.T) {
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
	})
}

// assertGoodbyeArrives demands that a goodbye reaches a server that reads from a
// second after the stop on, and that the stop waits for no more than that. start
// connects a client, and has it say goodbye some time from the stop, or before.
func assertGoodbyeArrives(t *testing.T, fromStop time.Duration,
	start func(p *testutil.PipeListener, sayGoodbye func(*reconnect.Client) error) *reconnect.Client) {
	t.Helper()
	const stop = time.Minute
	var got bytes.Buffer
	p := newPipe(t, func(conn net.Conn) {
		time.Sleep(stop + time.Second)
		_, _ = io.Copy(&got, conn)
	})
	c := start(p, func(c *reconnect.Client) error {
		time.Sleep(stop + fromStop)
		n, err := c.Write([]byte("goodbye"))
		assert.Equal(t, 7, n)
		return err
	})
	time.Sleep(stop)
	begun := time.Now()
	require.NoError(t, c.Shutdown(context.Background()))
	assert.Equal(t, time.Second, time.Since(begun))
	require.NoError(t, p.Close())
	assert.Equal(t, "goodbye", got.String())
}

// goodbyes are when it is said, counted from the stop.
func goodbyes() map[string]time.Duration {
	return map[string]time.Duration{"blocked before": -time.Second, "begun after": time.Second / 2}
}

// workerSays connects a client without OnSession, one of whose workers speaks.
func workerSays(t *testing.T) func(*testutil.PipeListener, func(*reconnect.Client) error) *reconnect.Client {
	return func(p *testutil.PipeListener, say func(*reconnect.Client) error) *reconnect.Client {
		c := connectPipe(t, p, nil)
		c.Go(func(context.Context) error { return say(c) })
		return c
	}
}

func TestGoodbyeAfterTheStopArrives(t *testing.T) {
	for name, fromStop := range goodbyes() {
		bubble(t, name, func(t *testing.T) {
			assertGoodbyeArrives(t, fromStop, func(p *testutil.PipeListener, say func(*reconnect.Client) error) *reconnect.Client {
				edit := func(cfg *reconnect.Config) { cfg.WriteTimeout = -1 }
				return connectSession(t, p, edit, func(_ context.Context, c *reconnect.Client) error { return say(c) })
			})
		})
	}
}

func TestWorkersSayGoodbyeAfterTheStop(t *testing.T) {
	for name, fromStop := range goodbyes() {
		bubble(t, name, func(t *testing.T) { assertGoodbyeArrives(t, fromStop, workerSays(t)) })
	}
}

func TestWorkersWriteThatBlocksAtTheStopKeepsItsGraceWithoutOnSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { assertGoodbyeArrives(t, -time.Second, workerSays(t)) })
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

func TestShutdownDoesNotWaitForWritesWhereThereAreNone(t *testing.T) {
	for name, d := range map[string]time.Duration{"bounded": 0, "off": -1} {
		bubble(t, name, func(t *testing.T) {
			c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) { cfg.WriteTimeout = d })
			time.Sleep(time.Minute)
			begin := time.Now()
			require.NoError(t, c.Shutdown(context.Background()))
			assert.Zero(t, time.Since(begin))
		})
	}
}

func TestWriteUnderWayAtTheStopIsWaitedForWhoeverMakesIt(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"default": 0, "timeouts off": -1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const late = time.Second
				served := make(chan error, 1)
				p := newPipe(t, func(conn net.Conn) {
					time.Sleep(late)
					_, err := conn.Read(make([]byte, 1))
					served <- err
				})
				c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.WriteTimeout = timeout })
				written := make(chan error, 1)
				go func() {
					_, err := c.Write([]byte("x"))
					written <- err
				}()
				synctest.Wait()
				begin := time.Now()
				require.NoError(t, c.Shutdown(t.Context()))
				assert.Equal(t, late, time.Since(begin))
				require.NoError(t, <-written)
				require.NoError(t, <-served)
			})
		})
	}
}

func TestWriteToASocketUnderWayAtTheStopIsWaitedFor(t *testing.T) {
	const size = 16 << 20 // more than the buffers of a socket take
	for _, network := range []string{"tcp", "unix"} {
		for name, timeout := range map[string]time.Duration{"default": 0, "timeouts off": -1} {
			t.Run(network+", "+name, func(t *testing.T) {
				begun, stopped := make(chan struct{}), make(chan struct{})
				got := make(chan int64, 1)
				server := testutil.NewServer(t, network, func(conn net.Conn) {
					_, _ = io.ReadFull(conn, make([]byte, 1))
					close(begun)
					<-stopped
					n, _ := io.Copy(io.Discard, conn)
					got <- n + 1
				})
				c := newClient(t, &reconnect.Config{
					Remote:       server.Remote(),
					WriteTimeout: timeout,
					// What comes after it is to wait, then to close.
					OnDisconnect: func(context.Context, net.Conn) error {
						close(stopped)
						return nil
					},
				})
				require.NoError(t, c.Connect())
				written := make(chan error, 1)
				go func() {
					_, err := c.Write(make([]byte, size))
					written <- err
				}()
				<-begun
				c.Cancel(nil)
				assert.EqualValues(t, size, receive(t, got))
				require.NoError(t, receive(t, written))
				require.NoError(t, waitDone(t, c))
			})
		}
	}
}

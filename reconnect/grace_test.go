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
		var c *reconnect.Client
		cfg := pipeConfig(p)
		cfg.WriteTimeout = -1
		cfg.OnSession = func(context.Context) error {
			_, err := c.Write([]byte("x"))
			assert.ErrorIs(t, err, reconnect.ErrClosed)
			return err
		}
		c = newClient(t, cfg)
		require.NoError(t, c.Connect())
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

func TestGoodbyeAfterTheStopArrives(t *testing.T) {
	for name, begin := range map[string]time.Duration{"blocked before": -time.Second, "begun after": time.Second / 2} {
		bubble(t, name, func(t *testing.T) {
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
	}
}

func TestWorkersSayGoodbyeAfterTheStop(t *testing.T) {
	for name, delay := range map[string]time.Duration{"blocked before": -time.Second, "begun after": time.Second / 2} {
		bubble(t, name, func(t *testing.T) {
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
	}
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

package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
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

func TestStopEndsBlockedReadsAtOnce(t *testing.T) {
	for name, d := range map[string]time.Duration{"default": 0, "off": -1, "long": time.Hour} {
		for _, fixed := range []bool{false, true} {
			bubble(t, fmt.Sprintf("%s, a deadline set: %t", name, fixed), func(t *testing.T) {
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
		}
	}
}

func TestStopEndsReadsOnSocketsThatBlock(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for _, d := range []time.Duration{0, -1, time.Hour} {
			s := testutil.NewEchoServer(t, network)
			c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: d,
				OnSession: untilDone})
			require.NoError(t, c.Connect())
			reading := make(chan struct{}, 3)
			var wg sync.WaitGroup
			for range cap(reading) {
				wg.Go(func() {
					reading <- struct{}{}
					_, err := readOne(c)
					assert.ErrorIs(t, err, reconnect.ErrClosed)
				})
			}
			for range cap(reading) {
				receive(t, reading)
			}
			require.NoError(t, c.Shutdown(guarded(t)))
			wg.Wait()
		}
	})
}

func TestStopCutsShortReadsWithEveryTimeoutOff(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		reading := make(chan struct{}, 8)
		var c *reconnect.Client
		c = newClient(t, &reconnect.Config{Remote: s.Remote(),
			DialTimeout: -1, ReadTimeout: -1, WriteTimeout: -1,
			OnSession: func(context.Context) error {
				reading <- struct{}{}
				_, err := c.Read(make([]byte, 1))
				assert.ErrorIs(t, err, reconnect.ErrClosed)
				return err
			}})
		for range 4 {
			c.Go(func(ctx context.Context) error {
				if err := c.WaitConnected(ctx); err != nil {
					return err
				}
				reading <- struct{}{}
				_, err := c.Read(make([]byte, 1))
				assert.ErrorIs(t, err, reconnect.ErrClosed)
				return err
			})
		}
		require.NoError(t, c.Connect())
		for range 5 {
			receive(t, reading)
		}
		require.NoError(t, c.Shutdown(guarded(t)))
		require.NoError(t, s.WaitOpen(guarded(t), 0))
	})
}

func TestStopEndsAReadOfTheConnectionItselfOnASocket(t *testing.T) {
	for callback, edit := range map[string]func(*reconnect.Config, func(net.Conn) error){
		"OnConnect": func(cfg *reconnect.Config, read func(net.Conn) error) {
			cfg.OnConnect = func(_ context.Context, conn net.Conn) error { return read(conn) }
		},
		"OnSession": func(cfg *reconnect.Config, read func(net.Conn) error) {
			cfg.OnSession = func(ctx context.Context) error { return read(reconnect.ConnFrom(ctx)) }
		},
	} {
		for how, stop := range stops() {
			t.Run(callback+" "+how, func(t *testing.T) {
				onStreams(t, func(t *testing.T, network string) {
					s := testutil.NewServer(t, network, testutil.Echo) // which has nothing to say
					base, cancel := context.WithCancel(context.Background())
					defer cancel()
					reading, read := make(chan struct{}), make(chan error, 1)
					cfg := &reconnect.Config{Remote: s.Remote(), Context: base,
						DialTimeout: -1, ReadTimeout: -1, WriteTimeout: -1}
					edit(cfg, func(conn net.Conn) error {
						close(reading)
						_, err := conn.Read(make([]byte, 1))
						read <- err
						return err
					})
					c := newClient(t, cfg)
					connected := connecting(c)
					receive(t, reading)
					go stop(c, cancel)
					require.Error(t, receive(t, read))
					require.NoError(t, waitDone(t, c))
					if err := receive(t, connected); callback == "OnConnect" {
						require.ErrorIs(t, err, reconnect.ErrClosed)
					}
					require.NoError(t, s.WaitOpen(guarded(t), 0))
				})
			})
		}
	}
}

// A read that is about to arm its deadline when the stop comes would block
// until that deadline. It's an hour, so nobody would wait for it.
func TestDeadlineArmedByARacingReadDoesNotOutliveTheStop(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
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
				OnSession:   untilDone})
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
	})
}

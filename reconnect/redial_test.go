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

func TestReconnectDropsTheConnectionAndDialsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := testutil.NewRecorder()
		p := newPipe(t, nil)
		causes := make(chan error, 10)
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Hour)
			cfg.ReadTimeout = -1
			cfg.OnConnect = func(context.Context, net.Conn) error { rec.Record("connect"); return nil }
			cfg.OnSession = func(ctx context.Context) error {
				<-ctx.Done()
				causes <- context.Cause(ctx)
				return ctx.Err()
			}
			cfg.OnDisconnect = func(context.Context, net.Conn) error { rec.Record("disconnect"); return nil }
			cfg.OnState = func(_, to reconnect.State) { rec.Record(to.String()) }
		})
		begin := time.Now()
		for range 3 {
			old := fakeConn(t, p)
			var wg sync.WaitGroup
			wg.Go(func() {
				_, err := readOne(c)
				assert.ErrorIs(t, err, reconnect.ErrNotConnected)
			})
			synctest.Wait()
			rec.Reset()
			require.NoError(t, c.Reconnect())
			synctest.Wait()
			wg.Wait()
			require.Equal(t, reconnect.Connected, c.State())
			require.ErrorIs(t, receive(t, causes), reconnect.ErrNotConnected)
			require.Positive(t, old.Closes())
			rec.AssertExactly(t, "disconnect", "connecting", "connect", "connected")
		}
		assert.Zero(t, time.Since(begin))
		assert.NoError(t, c.Status().LastError, "a Reconnect is no failure")
		assert.Zero(t, c.Status().Failures)
	})
}

func TestReconnectCutsAWaitOfAnHourShortOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Refuse(io.ErrUnexpectedEOF)
		o := &observed{Waiter: reconnect.NewConstantWaiter(time.Hour)}
		cfg := pipeConfig(p)
		cfg.WaitReconnect = o.wait
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		time.Sleep(90 * time.Minute) // in the second wait
		require.Equal(t, 2, p.Dials())
		begin := time.Now()
		for i := range 3 {
			require.NoError(t, c.Reconnect())
			synctest.Wait()
			require.Equal(t, 3+i, p.Dials(), "one dial each")
			require.Equal(t, reconnect.Waiting, c.State())
			require.Equal(t, begin.Add(time.Hour), c.Status().NextAttempt)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, 6, p.Dials())
		p.Refuse(nil)
		require.NoError(t, c.Reconnect())
		synctest.Wait()
		require.Equal(t, reconnect.Connected, c.State())
		require.NoError(t, c.Shutdown(context.Background()))

		numbers := make([]int, len(o.told))
		for i, a := range o.told {
			numbers[i] = a.Number
		}
		assert.Equal(t, []int{0, 1, 1, 1, 1, 2}, numbers, "the backoff goes on where it was")
	})
}

func TestReconnectCutsAWaiterShortWhetherItFailsOrNot(t *testing.T) {
	for name, answer := range map[string]error{"nil": nil, "an error": errors.New("cut")} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			p.Refuse(io.ErrUnexpectedEOF)
			cfg := pipeConfig(p)
			cfg.WaitReconnect = func(ctx context.Context) error {
				<-ctx.Done()
				return answer
			}
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			synctest.Wait()
			require.NoError(t, c.Reconnect())
			synctest.Wait()
			require.Equal(t, 2, p.Dials())
			require.Equal(t, reconnect.Waiting, c.State())
		})
	}
}

func TestReconnectDuringADialOrHandshakeBeginsItAnew(t *testing.T) {
	for _, where := range []string{"dial", "OnConnect"} {
		bubble(t, where, func(t *testing.T) {
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			cfg.DialTimeout, cfg.ReadTimeout = time.Hour, time.Hour
			cfg.WaitReconnect = reconnect.NewConstantWaiter(24 * time.Hour)
			cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
				t.Errorf("told of %v", err)
				return nil
			}
			cfg.OnState = func(from, to reconnect.State) {
				assert.NotEqual(t, from, to, "another attempt in the same state is no transition")
			}
			hang := true
			if where == "dial" {
				p.Hang(true)
			} else {
				cfg.OnConnect = func(ctx context.Context, conn net.Conn) error {
					if !hang {
						return nil
					}
					_, err := conn.Read(make([]byte, 1))
					return err
				}
			}
			c := newClient(t, cfg)
			connected := connecting(c)
			synctest.Wait()
			begin := time.Now()
			for i := range 3 {
				require.Equal(t, reconnect.Connecting, c.State())
				require.Equal(t, i+1, p.Dials())
				if i == 2 {
					hang = false
					p.Hang(false)
				}
				require.NoError(t, c.Reconnect())
				synctest.Wait()
			}
			require.NoError(t, <-connected)
			require.Equal(t, reconnect.Connected, c.State())
			assert.Zero(t, time.Since(begin))
			assert.Zero(t, c.Status().Failures)
			assert.Equal(t, 1, p.Open())
		})
	}
}

func TestReconnectFromACallbackTakesEffectAfterIt(t *testing.T) {
	for _, where := range []string{"OnSession", "OnDisconnect", "OnError", "WaitReconnect", "OnState waiting", "worker"} {
		bubble(t, where, func(t *testing.T) {
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			var c *reconnect.Client
			once := sync.OnceFunc(func() { assert.NoError(t, c.Reconnect()) })
			at := func(name string) {
				if name == where {
					once()
				}
			}
			sessions := 0
			cfg.OnSession = func(ctx context.Context) error {
				if sessions++; sessions > 1 {
					<-ctx.Done()
					return nil
				}
				at("OnSession")
				return io.EOF
			}
			cfg.OnDisconnect = func(context.Context, net.Conn) error { at("OnDisconnect"); return nil }
			cfg.OnError = func(context.Context, net.Conn, error) error { at("OnError"); return nil }
			cfg.WaitReconnect = func(ctx context.Context) error {
				at("WaitReconnect")
				return reconnect.NewConstantWaiter(time.Hour)(ctx)
			}
			cfg.OnState = func(_, to reconnect.State) { at("OnState " + to.String()) }
			c = newClient(t, cfg)
			require.NoError(t, c.Connect())
			synctest.Wait()
			if where == "worker" {
				require.Equal(t, reconnect.Waiting, c.State())
				c.Go(func(context.Context) error { at("worker"); return nil })
				synctest.Wait()
			}
			require.Equal(t, reconnect.Connected, c.State(), "without the wait of an hour")
			require.Equal(t, 2, p.Dials(), "once")
			require.NoError(t, c.Shutdown(context.Background()))
		})
	}
}

func TestReconnectBeforeConnectReturnsErrNotConnectedAndAfterTheStopErrClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		c := newClient(t, pipeConfig(p))
		require.ErrorIs(t, c.Reconnect(), reconnect.ErrNotConnected)
		require.Equal(t, reconnect.Idle, c.State())
		require.Zero(t, p.Dials())
		require.NoError(t, c.Connect())
		require.Equal(t, 1, p.Dials(), "what came before is forgotten")
		stop := errors.New("stop")
		c.Cancel(stop)
		for range 2 {
			err := c.Reconnect()
			require.ErrorIs(t, err, reconnect.ErrClosed)
			require.ErrorIs(t, err, stop)
			require.Equal(t, stop, waitDone(t, c))
		}
		require.Equal(t, 1, p.Dials())
	})
}

func TestReconnectsThatComeTogetherDoNotHurt(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		rec := testutil.NewRecorder()
		c := newClient(t, &reconnect.Config{Remote: s.Remote(),
			WaitReconnect: reconnect.NewConstantWaiter(time.Hour),
			OnConnect:     func(context.Context, net.Conn) error { rec.Record("up"); return nil },
			OnDisconnect:  func(context.Context, net.Conn) error { rec.Record("down"); return nil },
		})
		require.NoError(t, c.Connect())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 30 {
					assert.NoError(t, c.Reconnect())
				}
			})
		}
		wg.Wait()
		// without a wait of an hour the last one has led to a connection
		require.NoError(t, c.WaitConnected(guarded(t)))
		require.NoError(t, c.Shutdown(guarded(t)))
		rec.AssertPaired(t, "up", "down")
		require.NoError(t, s.WaitOpen(guarded(t), 0))
	})
}

func TestSettersAfterReconnectSayThatThereIsNoConnectionLikeARead(t *testing.T) {
	eachSetter(t, func(t *testing.T, s setter) {
		errs := make(chan error, 3)
		c := connectSession(t, newPipe(t, nil), nil, func(ctx context.Context, c *reconnect.Client) error {
			<-ctx.Done()
			synctest.Wait() // until Reconnect is through
			if c.Status().Sessions == 1 {
				_, err := readOne(c)
				errs <- err
				errs <- s.set(c, bound)
				errs <- s.reset(c)
			}
			return ctx.Err()
		})
		synctest.Wait()
		require.NoError(t, c.Reconnect())
		for range 3 {
			require.ErrorIs(t, receive(t, errs), reconnect.ErrNotConnected)
		}
	})
}

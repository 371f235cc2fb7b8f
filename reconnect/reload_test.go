package reconnect_test

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestReloadOfATimeoutKeepsTheSessionAndCountsFromTheNextUse(t *testing.T) {
	for name, wrap := range map[string]func(*testutil.PipeListener) reconnect.Dialer{
		"a dialer": func(p *testutil.PipeListener) reconnect.Dialer { return p },
		"a dialer of function type": func(p *testutil.PipeListener) reconnect.Dialer {
			return dialer.Func(p.DialContext)
		},
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.Dialer = wrap(p) })
			for _, d := range []time.Duration{5 * time.Second, time.Second, time.Minute, 2 * time.Second} {
				assertTimesOut(t, c, readOne, c.Config().ReadTimeout)
				assertTimesOut(t, c, writeOne, c.Config().WriteTimeout)
				c.Config().ReadTimeout, c.Config().WriteTimeout = d, 2*d
				require.NoError(t, c.Reload())
				assertTimesOut(t, c, readOne, d)
				assertTimesOut(t, c, writeOne, 2*d)
			}
			require.Equal(t, 1, p.Dials())

			c.Config().ReadTimeout = -1
			require.NoError(t, c.Reload())
			assertBlocks(t, c, readOne)
		})
	}
}

func TestReloadTurnsTimeoutsThatWereOffOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) { cfg.ReadTimeout, cfg.WriteTimeout = -1, -1 })
		time.Sleep(time.Hour)
		c.Config().ReadTimeout, c.Config().WriteTimeout = bound, bound
		require.NoError(t, c.Reload())
		assertTimesOut(t, c, readOne, bound)
		assertTimesOut(t, c, writeOne, bound)
	})
}

// "Zero means the default" holds for a field that was set before as well.
func TestReloadFillsFieldsSetBackToZeroWithDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) { cfg.ReadTimeout = time.Hour })
		c.Config().ReadTimeout = 0
		require.NoError(t, c.Reload())
		assertTimesOut(t, c, readOne, reconnect.DefaultReadTimeout)
	})
}

// reloads are ways to change a bound, once or again.
func reloads(bound time.Duration) map[string][]time.Duration {
	return map[string][]time.Duration{
		"longer":              {time.Hour},
		"shorter":             {bound / 8},
		"off":                 {-1},
		"off and on":          {-1, bound},
		"off and longer":      {-1, time.Hour},
		"shorter and longer":  {bound / 8, time.Hour},
		"longer, off, longer": {time.Hour, -1, 2 * time.Hour},
	}
}

func TestCallThatBlocksDuringAReloadKeepsTheBoundItBeganWith(t *testing.T) {
	for name, reloads := range reloads(bound) {
		for dir, do := range calls() {
			bubble(t, name+" "+dir, func(t *testing.T) {
				c := connectPipe(t, newPipe(t, nil), nil)
				var wg sync.WaitGroup
				for range 3 { // one has its turn, and two wait
					wg.Go(func() { assertTimesOut(t, c, do, bound) })
				}
				time.Sleep(bound / 2)
				for _, d := range reloads {
					rebind(t, c, d)
				}
				wg.Wait()
				if d := reloads[len(reloads)-1]; d > 0 {
					assertTimesOut(t, c, do, d)
				} else {
					assertBlocks(t, c, do)
				}
			})
		}
	}
}

func TestWriteThatWaitsForItsTurnKeepsTheBoundItBeganWithOverAReload(t *testing.T) {
	for name, tc := range map[string]struct {
		granted bool
		reloads []time.Duration
	}{
		"waiting":              {false, []time.Duration{-1}},
		"waiting, off and on":  {false, []time.Duration{-1, time.Hour}},
		"its turn, off":        {true, []time.Duration{-1}},
		"its turn, off and on": {true, []time.Duration{-1, time.Hour}},
	} {
		bubble(t, name, func(t *testing.T) {
			proceed := make(chan struct{})
			c := connectPipe(t, newPipe(t, func(conn net.Conn) {
				<-proceed
				_, _ = conn.Read(make([]byte, 1))
				<-proceed
			}), unbounded)
			first := make(chan error, 1)
			go func() { _, err := writeOne(c); first <- err }()
			synctest.Wait()
			rebind(t, c, bound)
			var wg sync.WaitGroup
			wg.Go(func() { assertTimesOut(t, c, writeOne, bound) })
			time.Sleep(bound / 4)
			if tc.granted {
				proceed <- struct{}{}
				require.NoError(t, receive(t, first))
			}
			synctest.Wait()
			for _, d := range tc.reloads {
				rebind(t, c, d)
			}
			wg.Wait()
			close(proceed)
		})
	}
}

func TestCallThatBlocksOnABusySocketDuringAReloadKeepsTheBoundItBeganWith(t *testing.T) {
	t.Parallel()
	const bound = 3 * stall
	quick := map[string]func(*copyLink) error{
		"Read": func(l *copyLink) error {
			_, err := l.peer.Write([]byte("x"))
			if err == nil {
				_, err = readOne(l.Client)
			}
			return err
		},
		"Write": func(l *copyLink) error { _, err := writeOne(l.Client); return err },
	}
	for name, reloads := range reloads(bound) {
		for dir, quick := range quick {
			t.Run(name+" "+dir, func(t *testing.T) {
				t.Parallel()
				onStreams(t, func(t *testing.T, network string) {
					for _, after := range []time.Duration{time.Millisecond, bound / 8} { // a bound/32 after its begin it looks at the clock
						l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.ReadTimeout, cfg.WriteTimeout = bound, bound })
						for range 3 {
							require.NoError(t, quick(l))
						}
						begin := time.Now()
						call := blocked(t, func() error { return midway()[dir](t, l.Client) })
						pass(t, after)
						for _, d := range reloads {
							rebind(t, l.Client, d)
							pass(t, time.Millisecond)
						}
						require.ErrorIs(t, receive(t, call), os.ErrDeadlineExceeded)
						require.GreaterOrEqual(t, time.Since(begin), bound)
					}
				})
			})
		}
	}
}

func TestReloadOfADeadlineInForceLeavesItAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), nil)
		require.NoError(t, c.SetReadDeadline(time.Minute))
		c.Config().ReadTimeout = time.Second
		require.NoError(t, c.Reload())
		assertTimesOut(t, c, readOne, time.Minute)
		require.NoError(t, c.ResetReadDeadline())
		assertTimesOut(t, c, readOne, time.Second)
	})
}

func TestReloadOnASocketCountsFromTheNextUse(t *testing.T) {
	t.Parallel()
	onStreams(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: 20 * time.Millisecond}, patient)
		require.NoError(t, c.Connect())
		for _, d := range []time.Duration{0, 60, 10, 30} {
			if d > 0 {
				c.Config().ReadTimeout = d * time.Millisecond
				require.NoError(t, c.Reload())
			}
			begin := time.Now()
			_, err := readOne(c)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.GreaterOrEqual(t, time.Since(begin), c.Config().ReadTimeout)
			require.NoError(t, c.SetReadDeadline(hangGuard))
			talk(t, c, 3)
			require.NoError(t, c.ResetReadDeadline())
		}
		require.EqualValues(t, 1, c.Status().Sessions)
	})
}

func TestReloadOfCallbacksCountsFromTheirNextUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := testutil.NewRecorder()
		p := newPipe(t, nil)
		note := func(cfg *reconnect.Config, age string) {
			cfg.OnConnect = func(context.Context, net.Conn) error { rec.Record(age + " connect"); return nil }
			cfg.OnSession = func(ctx context.Context) error { rec.Record(age + " session"); <-ctx.Done(); return nil }
			cfg.OnDisconnect = func(context.Context, net.Conn) error { rec.Record(age + " disconnect"); return nil }
			cfg.WaitReconnect = func(context.Context) error { rec.Record(age + " wait"); return nil }
		}
		c := connectPipe(t, p, func(cfg *reconnect.Config) { note(cfg, "old") })
		synctest.Wait() // for the session to begin
		note(c.Config(), "new")
		require.NoError(t, c.Reload())
		require.Equal(t, 1, p.Dials())
		require.NoError(t, c.Close())
		synctest.Wait()
		rec.AssertExactly(t, "old connect", "old session", "new disconnect", "new wait", "new connect", "new session")
	})
}

func TestReloadOfReconnectDelayIsFollowedUnlessAWaiterIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.WaitReconnect, cfg.ReconnectDelay = nil, time.Second
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		for _, d := range []time.Duration{time.Second, time.Hour, time.Minute} {
			c.Config().ReconnectDelay = d
			require.NoError(t, c.Reload())
			begin := time.Now()
			require.NoError(t, c.Close())
			synctest.Wait()
			require.NoError(t, c.WaitConnected(context.Background()))
			require.Equal(t, d, time.Since(begin))
		}
	})
}

func TestReloadFromEveryCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *reconnect.Client
		reloads := make(map[string]int)
		reload := func(callback string) {
			reloads[callback]++
			c.Config().ReadTimeout++
			assert.NoError(t, c.Reload())
		}
		cfg := noting(newPipe(t, nil), reload)
		cfg.OnState = func(_, to reconnect.State) {
			if to != reconnect.Stopped {
				reload("OnState")
			}
		}
		cfg.WaitReconnect = func(context.Context) error {
			if reload("WaitReconnect"); reloads["WaitReconnect"] > 10 {
				return reconnect.ErrDoNotReconnect
			}
			return nil
		}
		c = newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.NoError(t, waitDone(t, c))
		for _, name := range callbacks() {
			require.Greater(t, reloads[name], 10, name)
		}
	})
}

func TestReloadConcurrentWithEverything(t *testing.T) {
	a, b := testutil.NewEchoServer(t, "tcp"), testutil.NewEchoServer(t, "unix")
	c := newClient(t, &reconnect.Config{Remote: a.Remote(), Alternates: []string{b.Remote()},
		WaitReconnect: reconnect.NewImmediateErrorWaiter(nil)})
	require.NoError(t, c.Connect())
	var editing sync.Mutex // whoever edits sees to that
	var wg sync.WaitGroup
	var stop atomic.Bool
	for i := range 3 {
		wg.Go(func() {
			for n := range 60 {
				editing.Lock()
				cfg := c.Config()
				switch (n + i) % 6 {
				case 0:
					cfg.Remote, cfg.Alternates = b.Remote(), nil
				case 1:
					cfg.Remote, cfg.Alternates = a.Remote(), []string{b.Remote()}
				case 2:
					cfg.ReadTimeout = time.Duration(n) * time.Microsecond
				case 3:
					cfg.WriteTimeout = -1
				case 4:
					cfg.Remote = "nonsense"
				default:
					cfg.Dialer = new(net.Dialer)
				}
				err := c.Reload()
				if cfg.Remote == "nonsense" {
					assert.ErrorIs(t, err, core.ErrInvalid)
					cfg.Remote = a.Remote()
				} else {
					assert.NoError(t, err)
				}
				editing.Unlock()
			}
		})
	}
	var busy sync.WaitGroup
	for _, do := range []func(){
		func() { _, _ = readOne(c) }, func() { _, _ = writeOne(c) },
		func() { _ = c.SetDeadline(time.Millisecond, 0); _ = c.ResetDeadline() },
		func() { _ = c.Close() }, func() { _ = c.Reconnect() }, func() { _, _ = c.Status(), c.RemoteAddr() },
	} {
		busy.Go(func() {
			for !stop.Load() {
				do()
			}
		})
	}
	wg.Wait()
	stop.Store(true)
	busy.Wait()
	editing.Lock()
	c.Config().Remote, c.Config().Alternates = b.Remote(), nil
	require.NoError(t, c.Reload())
	editing.Unlock()
	require.NoError(t, c.Reconnect())
	ctx := guarded(t)
	for c.RemoteAddr() == nil || c.RemoteAddr().Network() != "unix" {
		require.NoError(t, ctx.Err(), "%v", c.Status())
		require.NoError(t, c.WaitConnected(ctx))
	}
	require.NoError(t, c.Shutdown(guarded(t)))
}

package reconnect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
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

func TestReadThatBlocksDuringAReloadKeepsTheBoundItBeganWith(t *testing.T) {
	for name, d := range map[string]time.Duration{"longer": time.Hour, "shorter": bound / 8, "off": -1} {
		for dir, do := range calls() {
			bubble(t, name+" "+dir, func(t *testing.T) {
				c := connectPipe(t, newPipe(t, nil), nil)
				var wg sync.WaitGroup
				wg.Go(func() { assertTimesOut(t, c, do, bound) })
				time.Sleep(bound / 2)
				c.Config().ReadTimeout, c.Config().WriteTimeout = d, d
				require.NoError(t, c.Reload())
				wg.Wait()
				if d > 0 {
					assertTimesOut(t, c, do, d)
				} else {
					assertBlocks(t, c, do)
				}
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
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: 20 * time.Millisecond})
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
			talk(t, c, 3)
		}
		require.EqualValues(t, 1, c.Status().Sessions)
	})
}

// routes are the edits that need another connection.
func routes(p *testutil.PipeListener) map[string]func(*reconnect.Config) {
	return map[string]func(*reconnect.Config){
		"Remote":             func(cfg *reconnect.Config) { cfg.Remote = "other.test:4000" },
		"Alternates":         func(cfg *reconnect.Config) { cfg.Alternates = []string{"other.test:4000"} },
		"Dialer":             func(cfg *reconnect.Config) { cfg.Dialer = dialer.Func(p.DialContext) },
		"TLSConfig dropped":  func(cfg *reconnect.Config) { cfg.TLSConfig = nil },
		"everything, whole":  func(cfg *reconnect.Config) { *cfg = *pipeConfig(p); cfg.Remote = "other.test:4000" },
		"Remote and Context": func(cfg *reconnect.Config) { cfg.Remote = "other.test:4000"; cfg.Context = nil },
	}
}

func TestReloadOfTheRouteEndsTheSessionAndDialsAtOnce(t *testing.T) {
	p := testutil.Pipe(nil)
	for name := range routes(p) {
		bubble(t, name, func(t *testing.T) {
			rec := testutil.NewRecorder()
			p := newPipe(t, nil)
			disconnect := func(context.Context, net.Conn) error { rec.Record("disconnect"); return nil }
			cfg := pipeConfig(p)
			cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Hour)
			cfg.OnDisconnect = disconnect
			if name == "TLSConfig dropped" {
				cfg.TLSConfig = &tls.Config{}
				cfg.DialTimeout = time.Second // nobody answers the handshake
			}
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			edit := routes(p)[name]
			edit(c.Config())
			begin := time.Now()
			require.NoError(t, c.Reload())
			synctest.Wait()
			require.Equal(t, reconnect.Connected, c.State())
			require.Zero(t, time.Since(begin))
			require.Equal(t, 2, p.Dials())
			require.Equal(t, 1, p.Open())
			require.Equal(t, c.Config().Remote, c.Status().Remote)
			require.Equal(t, c.Config().Remote, c.RemoteAddr().String())
			require.NoError(t, c.Reload(), "nothing has changed")
			synctest.Wait()
			require.Equal(t, 2, p.Dials())
			if name == "everything, whole" {
				require.Zero(t, rec.Count("disconnect"), "that callback has gone")
			} else if name != "TLSConfig dropped" {
				require.Equal(t, 1, rec.Count("disconnect"))
			}
			_, err := reconnect.New(c.Config())
			require.ErrorIs(t, err, reconnect.ErrConfigBusy)
		})
	}
}

func TestReloadInEveryState(t *testing.T) {
	other := func(c *reconnect.Client) { c.Config().Remote = "other.test:4000" }
	bubble(t, "before Connect", func(t *testing.T) {
		p := newPipe(t, nil)
		c := newClient(t, pipeConfig(p))
		other(c)
		require.NoError(t, c.Reload())
		require.Equal(t, reconnect.Idle, c.State())
		require.NoError(t, c.Connect())
		require.Equal(t, "other.test:4000", c.RemoteAddr().String())
		require.Equal(t, 1, p.Dials())
	})
	bubble(t, "in a dial", func(t *testing.T) {
		p := newPipe(t, nil)
		p.Hang(true)
		cfg := pipeConfig(p)
		cfg.DialTimeout = time.Hour
		c := newClient(t, cfg)
		go func() { assert.NoError(t, c.Connect()) }()
		synctest.Wait()
		other(c)
		require.NoError(t, c.Reload())
		p.Hang(false)
		synctest.Wait()
		require.Equal(t, "other.test:4000", c.RemoteAddr().String())
	})
	bubble(t, "in a wait", func(t *testing.T) {
		p := newPipe(t, nil)
		p.Refuse(io.ErrUnexpectedEOF)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Hour)
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		synctest.Wait()
		c.Config().ReadTimeout = time.Minute
		require.NoError(t, c.Reload())
		synctest.Wait()
		require.Equal(t, reconnect.Waiting, c.State(), "a timeout is nothing to dial for")
		p.Refuse(nil)
		other(c)
		require.NoError(t, c.Reload())
		synctest.Wait()
		require.Equal(t, "other.test:4000", c.RemoteAddr().String())
	})
	bubble(t, "after the stop", func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), nil)
		stop := errors.New("stop")
		c.Cancel(stop)
		for range 2 {
			err := c.Reload()
			require.ErrorIs(t, err, reconnect.ErrClosed)
			require.ErrorIs(t, err, stop)
			require.Equal(t, stop, waitDone(t, c))
		}
	})
}

func TestReloadOfAnInvalidConfigIsRejectedWholeAndChangesNothing(t *testing.T) {
	for name, edit := range map[string]func(*reconnect.Config){
		"Remote":     func(cfg *reconnect.Config) { cfg.Remote = "nonsense" },
		"Alternates": func(cfg *reconnect.Config) { cfg.Alternates = []string{"ok.test:1", ""} },
		"Dialer":     func(cfg *reconnect.Config) { cfg.Dialer = (*net.Dialer)(nil) },
		"TLSConfig":  func(cfg *reconnect.Config) { cfg.Remote = "/run/x.sock"; cfg.TLSConfig = &tls.Config{} },
		"Context":    func(cfg *reconnect.Config) { cfg.Context = context.WithValue(cfg.Context, bound, 1) },
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			c := connectPipe(t, p, nil)
			good := *c.Config()
			c.Config().ReadTimeout = time.Hour
			edit(c.Config())
			err := c.Reload()
			require.ErrorIs(t, err, core.ErrInvalid)
			require.ErrorContains(t, err, name)
			synctest.Wait()
			require.Equal(t, 1, p.Dials())
			assertTimesOut(t, c, readOne, bound)
			require.NoError(t, c.Close())
			synctest.Wait()
			require.Equal(t, pipeRemote, c.RemoteAddr().String())
			*c.Config() = good
			require.NoError(t, c.Reload())
			synctest.Wait()
			require.Equal(t, 2, p.Dials())
		})
	}
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

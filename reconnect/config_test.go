package reconnect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestNewFillsFieldsLeftAtZeroWithDefaults(t *testing.T) {
	c := newClient(t, &reconnect.Config{Remote: pipeRemote})
	cfg := c.Config()

	assert.Equal(t, context.Background(), cfg.Context)
	assert.NotNil(t, cfg.Logger)
	assert.NotNil(t, cfg.WaitReconnect)
	assert.Equal(t, 5*time.Second, cfg.KeepAlive)
	assert.Equal(t, 2*time.Second, cfg.DialTimeout)
	assert.Equal(t, 2*time.Second, cfg.ReadTimeout)
	assert.Equal(t, 2*time.Second, cfg.WriteTimeout)
	assert.Equal(t, 10*time.Second, cfg.StableAfter)
	assert.Zero(t, cfg.ReconnectDelay)
	for _, f := range []any{cfg.OnSocket, cfg.OnConnect, cfg.OnSession, cfg.OnDisconnect, cfg.OnError, cfg.OnState} {
		assert.Nil(t, f)
	}

	cfg.Logger.Error().Print("goes nowhere")
	_, enabled := cfg.Logger.Error().WithEnabled()
	assert.False(t, enabled)
}

func TestSetDefaultsKeepsWhatIsSet(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, 1)
	logger := testutil.NewLogger(0)
	cfg := &reconnect.Config{
		Context: ctx, Logger: logger, Remote: pipeRemote,
		KeepAlive: -1, DialTimeout: -1, ReadTimeout: -1, WriteTimeout: -1, StableAfter: -1,
	}
	for range 2 { // defaults of defaults are the same
		require.NoError(t, cfg.SetDefaults())
		assert.Equal(t, ctx, cfg.Context)
		assert.Same(t, logger, cfg.Logger)
		for _, d := range []time.Duration{cfg.KeepAlive, cfg.DialTimeout, cfg.ReadTimeout, cfg.WriteTimeout, cfg.StableAfter} {
			assert.Negative(t, d)
		}
	}
	require.NoError(t, cfg.Valid())
}

func TestNilConfigIsRefusedWithoutAPanic(t *testing.T) {
	var cfg *reconnect.Config
	require.ErrorIs(t, cfg.SetDefaults(), core.ErrInvalid)
	require.ErrorIs(t, cfg.Valid(), core.ErrInvalid)
}

func TestReconnectDelayIsTheTimeBetweenAttempts(t *testing.T) {
	for name, tc := range map[string]struct{ delay, want time.Duration }{
		"zero is five seconds": {0, 5 * time.Second},
		"as given":             {time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipe(t, nil)
				p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
				c := newClient(t, &reconnect.Config{Remote: pipeRemote, Dialer: p, ReconnectDelay: tc.delay})
				require.NoError(t, c.Connect())

				begin := time.Now()
				require.NoError(t, p.WaitDials(context.Background(), 3))
				assert.Equal(t, 2*tc.want, time.Since(begin))
			})
		})
	}
}

func TestNegativeReconnectDelayNeverReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, func(net.Conn) {}) // hangs up at once
		c := newClient(t, &reconnect.Config{Remote: pipeRemote, Dialer: p, ReconnectDelay: -1,
			OnSession: func(context.Context) error { return nil }})
		require.NoError(t, c.Connect())
		require.NoError(t, waitDone(t, c), "ErrDoNotReconnect itself is no error")
		assert.Equal(t, 1, p.Dials())
	})
}

func TestNegativeTimeoutsAreOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.DialTimeout, cfg.ReadTimeout, cfg.WriteTimeout = -1, -1, -1
		cfg.OnConnect = func(ctx context.Context, conn net.Conn) error {
			assert.Zero(t, conn.(*testutil.FaultConn).ReadDeadline())
			assert.Zero(t, conn.(*testutil.FaultConn).WriteDeadline())
			return nil
		}
		p.Hang(true)
		c := newClient(t, cfg)
		connected := make(chan error, 1)
		go func() { connected <- c.Connect() }()
		time.Sleep(24 * time.Hour)
		assert.Equal(t, reconnect.Connecting, c.State(), "no dial timeout")
		p.Hang(false)
		require.NoError(t, <-connected)

		go func() {
			time.Sleep(24 * time.Hour)
			p.HangUp()
		}()
		begin := time.Now()
		_, err := c.Read(make([]byte, 1))
		require.Error(t, err)
		assert.Equal(t, 24*time.Hour, time.Since(begin), "no read timeout")
	})
}

func TestDialTimeoutReachesTheConfiguredDialer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Hang(true)
		c := newClient(t, pipeConfig(p))
		begin := time.Now()
		require.NoError(t, c.Connect(), "a timeout is worth a retry")
		assert.Equal(t, reconnect.DefaultDialTimeout, time.Since(begin))
	})
}

func TestNewRunsOptionsInOrderThenDefaultsThenValid(t *testing.T) {
	var order []string
	cfg := new(reconnect.Config)
	c := newClient(t, cfg,
		func(got *reconnect.Config) error {
			assert.Same(t, cfg, got)
			assert.Zero(t, got.ReadTimeout, "options come before the defaults")
			assert.Nil(t, got.Logger)
			order = append(order, "first")
			got.Remote = "first.test:1"
			return nil
		},
		nil, // is skipped
		func(got *reconnect.Config) error {
			assert.Equal(t, "first.test:1", got.Remote)
			order = append(order, "second")
			got.Remote = pipeRemote // what is missing may come from an option
			got.ReadTimeout = time.Minute
			return nil
		})
	assert.Equal(t, []string{"first", "second"}, order)
	assert.Equal(t, time.Minute, c.Config().ReadTimeout)
	assert.Equal(t, reconnect.DefaultWriteTimeout, c.Config().WriteTimeout)
	assert.Same(t, cfg, c.Config())
}

func TestNewOfNilConfigStartsFromAnEmptyOne(t *testing.T) {
	c := newClient(t, nil, func(cfg *reconnect.Config) error {
		cfg.Remote = pipeRemote
		return nil
	})
	assert.Equal(t, pipeRemote, c.Config().Remote)

	_, err := reconnect.New(nil)
	require.ErrorIs(t, err, core.ErrInvalid)
	require.ErrorContains(t, err, "Remote")
}

// listError can't be compared, and so panics in a careless ==.
type listError []string

func (e listError) Error() string { return strings.Join(e, ", ") }

func TestNewReturnsAnOptionsErrorAsItIs(t *testing.T) {
	broken := errors.New("broken option")
	later := false
	c, err := reconnect.New(&reconnect.Config{Remote: pipeRemote},
		func(*reconnect.Config) error { return broken },
		func(*reconnect.Config) error { later = true; return nil })
	assert.Nil(t, c)
	assert.True(t, err == broken, "not wrapped: %v", err)
	assert.False(t, later)

	_, err = reconnect.New(nil, func(*reconnect.Config) error { return listError{"a"} })
	assert.Equal(t, listError{"a"}, err)
}

func TestFailedNewLeavesTheConfigFree(t *testing.T) {
	goexit := func(*reconnect.Config) error { runtime.Goexit(); return nil }
	for name, option := range map[string]reconnect.OptionFunc{
		"error":   func(*reconnect.Config) error { return errors.New("no") },
		"panic":   func(*reconnect.Config) error { panic("no") },
		"goexit":  goexit,
		"invalid": func(cfg *reconnect.Config) error { cfg.Remote = "nonsense"; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := &reconnect.Config{Remote: pipeRemote}
			var wg sync.WaitGroup
			wg.Go(func() { // its own goroutine to end
				_, err := reconnect.New(cfg, option)
				assert.Error(t, err)
				assert.NotErrorIs(t, err, reconnect.ErrConfigBusy)
			})
			wg.Wait()
			cfg.Remote = pipeRemote
			newClient(t, cfg)
		})
	}
}

func TestOptionThatPanicsIsAnErrorWithItsStack(t *testing.T) {
	_, err := reconnect.New(&reconnect.Config{Remote: pipeRemote}, func(*reconnect.Config) error {
		panic("boom")
	})
	requirePanicError(t, err, "boom")
}

func TestSecondNewIsRefusedBeforeAnyOptionRuns(t *testing.T) {
	cfg := &reconnect.Config{Remote: pipeRemote}
	c := newClient(t, cfg)
	refuse := func() {
		_, err := reconnect.New(cfg, func(*reconnect.Config) error {
			t.Error("option runs")
			return nil
		})
		require.ErrorIs(t, err, reconnect.ErrConfigBusy)
		require.ErrorIs(t, err, fs.ErrPermission)
	}
	refuse()
	refuse()
	require.NoError(t, c.Shutdown(guarded(t)))
	refuse() // one Config, one Client, also after its end
}

func TestNewWithinAnOptionFindsTheConfigBusy(t *testing.T) {
	cfg := &reconnect.Config{Remote: pipeRemote}
	newClient(t, cfg, func(cfg *reconnect.Config) error {
		_, err := reconnect.New(cfg)
		assert.ErrorIs(t, err, reconnect.ErrConfigBusy)
		return nil
	})
	_, err := reconnect.New(cfg)
	require.ErrorIs(t, err, reconnect.ErrConfigBusy, "the failure within must not free it")
}

func TestConcurrentNewsMakeExactlyOneClient(t *testing.T) {
	for range 50 {
		cfg := &reconnect.Config{Remote: pipeRemote}
		var made, options atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 8 {
			wg.Go(func() {
				<-start
				_, err := reconnect.New(cfg, func(*reconnect.Config) error {
					options.Add(1)
					return nil
				})
				if err == nil {
					made.Add(1)
				} else {
					assert.ErrorIs(t, err, reconnect.ErrConfigBusy)
				}
			})
		}
		close(start)
		wg.Wait()
		require.EqualValues(t, 1, made.Load())
		require.EqualValues(t, 1, options.Load())
	}
}

func TestOptionThatReplacesTheWholeConfigKeepsItBusy(t *testing.T) {
	cfg := new(reconnect.Config)
	newClient(t, cfg, func(cfg *reconnect.Config) error {
		*cfg = reconnect.Config{Remote: pipeRemote}
		return nil
	})
	_, err := reconnect.New(cfg)
	require.ErrorIs(t, err, reconnect.ErrConfigBusy)
}

func TestConfigCopiedByValueIsFree(t *testing.T) {
	cfg := &reconnect.Config{Remote: pipeRemote}
	newClient(t, cfg)
	other := *cfg
	newClient(t, &other)
	third := other
	newClient(t, &third)
	for _, busy := range []*reconnect.Config{cfg, &other, &third} {
		_, err := reconnect.New(busy)
		require.ErrorIs(t, err, reconnect.ErrConfigBusy)
	}
}

func TestRunningClientIgnoresWritesToItsConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		rec := testutil.NewRecorder()
		cfg := pipeConfig(p)
		cfg.Alternates = []string{"other.test:1"}
		cfg.OnSession = func(ctx context.Context) error {
			rec.Record("session")
			<-ctx.Done()
			return ctx.Err()
		}
		c := newClient(t, cfg)
		unwanted := func() { t.Error("a write to the Config took effect") }
		cfg.Remote = "unix:/nowhere"
		cfg.Alternates[0] = "nonsense"
		cfg.OnConnect = func(context.Context, net.Conn) error { unwanted(); return nil }
		cfg.OnSession = func(context.Context) error { unwanted(); return nil }
		cfg.OnDisconnect = func(context.Context, net.Conn) error { unwanted(); return nil }
		cfg.OnError = func(context.Context, net.Conn, error) error { unwanted(); return nil }
		cfg.OnState = func(_, _ reconnect.State) { unwanted() }
		cfg.WaitReconnect = func(context.Context) error { unwanted(); return nil }
		cfg.Dialer = nil
		cfg.TLSConfig = new(tls.Config)
		cfg.Context = nil
		cfg.Logger = nil
		cfg.ReadTimeout = time.Nanosecond

		require.NoError(t, c.Connect())
		require.NoError(t, rec.WaitFor(guarded(t), "session", 1))
		assert.Equal(t, pipeRemote, c.RemoteAddr().String())
		p.HangUp()
		begin := time.Now()
		_, err := c.Read(make([]byte, 1))
		require.Error(t, err)
		assert.Zero(t, time.Since(begin))
		require.NoError(t, rec.WaitFor(guarded(t), "session", 2))
		require.NoError(t, c.Shutdown(guarded(t)))
	})
}

func TestEveryErrorOfValidNamesItsFieldAndIsInvalid(t *testing.T) {
	for name, tc := range map[string]struct {
		edit  func(*reconnect.Config)
		field string
	}{
		"no remote":       {func(c *reconnect.Config) { c.Remote = "" }, "Remote"},
		"no port":         {func(c *reconnect.Config) { c.Remote = "host" }, "Remote"},
		"port 0":          {func(c *reconnect.Config) { c.Remote = "host:0" }, "Remote"},
		"unspecified":     {func(c *reconnect.Config) { c.Remote = "0.0.0.0:1" }, "Remote"},
		"empty unix":      {func(c *reconnect.Config) { c.Remote = "unix:" }, "Remote"},
		"long unix":       {func(c *reconnect.Config) { c.Remote = "/" + strings.Repeat("x", 200) }, "Remote"},
		"alternate":       {func(c *reconnect.Config) { c.Alternates = []string{"a.test:1", ""} }, "Alternates[1]"},
		"tls over unix":   {func(c *reconnect.Config) { c.Remote = "/s.sock"; c.TLSConfig = new(tls.Config) }, "TLSConfig"},
		"nil *net.Dialer": {func(c *reconnect.Config) { c.Dialer = (*net.Dialer)(nil) }, "Dialer"},
		"nil function":    {func(c *reconnect.Config) { c.Dialer = funcDialer(nil) }, "Dialer"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := &reconnect.Config{Remote: pipeRemote}
			tc.edit(cfg)
			require.NoError(t, cfg.SetDefaults())
			err := cfg.Valid()
			require.ErrorIs(t, err, core.ErrInvalid)
			require.ErrorContains(t, err, tc.field)

			_, err = reconnect.New(cfg)
			require.ErrorIs(t, err, core.ErrInvalid)
			require.ErrorContains(t, err, tc.field)
		})
	}
}

// funcDialer is a function as a Dialer.
type funcDialer func(context.Context, string, string) (net.Conn, error)

func (f funcDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

func TestValidMatchesWhatIsWrongWithASocketsName(t *testing.T) {
	for remote, want := range map[string]error{
		"unix:":                        reconnect.ErrNameEmpty,
		"/" + strings.Repeat("x", 200): reconnect.ErrNameTooLong,
	} {
		err := (&reconnect.Config{Remote: remote}).Valid()
		require.ErrorIs(t, err, want)
		require.ErrorIs(t, err, core.ErrInvalid)
	}
}

func TestMustPanicsWhereNewFails(t *testing.T) {
	assert.NotNil(t, reconnect.Must(&reconnect.Config{Remote: pipeRemote}))
	assert.Panics(t, func() { reconnect.Must(nil) })
}

func TestExportDialerHonoursKeepAliveAndTimeout(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg              reconnect.Config
		keepAlive, bound time.Duration
	}{
		"defaults": {reconnect.Config{}, 5 * time.Second, 2 * time.Second},
		"as given": {reconnect.Config{KeepAlive: time.Minute, DialTimeout: time.Hour}, time.Minute, time.Hour},
		"off":      {reconnect.Config{KeepAlive: -1, DialTimeout: -1}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := tc.cfg.ExportDialer()
			assert.Equal(t, tc.bound, d.Timeout)
			if tc.keepAlive == 0 {
				assert.False(t, d.KeepAliveConfig.Enable)
				assert.Negative(t, d.KeepAlive)
				return
			}
			assert.Equal(t, net.KeepAliveConfig{
				Enable: true, Idle: tc.keepAlive, Interval: tc.keepAlive, Count: 3,
			}, d.KeepAliveConfig)
		})
	}
}

func TestExportDialerCallsOnSocketForTCPAndUnix(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			s := testutil.NewEchoServer(t, network)
			var calls atomic.Int32
			cfg := reconnect.Config{OnSocket: func(_ context.Context, raw syscall.RawConn) error {
				calls.Add(1)
				return raw.Control(func(fd uintptr) { assert.NotZero(t, fd) })
			}}
			d := cfg.ExportDialer()
			conn, err := d.DialContext(guarded(t), network, s.Addr().String())
			require.NoError(t, err)
			require.NoError(t, conn.Close())
			assert.EqualValues(t, 1, calls.Load())

			broken := errors.New("no such option")
			cfg.OnSocket = func(context.Context, syscall.RawConn) error { return broken }
			d = cfg.ExportDialer()
			_, err = d.DialContext(guarded(t), network, s.Addr().String())
			require.ErrorIs(t, err, broken)
		})
	}
}

func TestClientCallsOnSocketForTCPAndUnix(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			s := testutil.NewEchoServer(t, network)
			var calls atomic.Int32
			c := newClient(t, &reconnect.Config{
				Remote: s.Remote(),
				OnSocket: func(_ context.Context, raw syscall.RawConn) error {
					calls.Add(1)
					return raw.Control(func(fd uintptr) { assert.NotZero(t, fd) })
				},
			})
			require.NoError(t, c.Connect())
			require.NoError(t, c.WaitConnected(guarded(t)))
			assert.EqualValues(t, 1, calls.Load())
		})
	}
}

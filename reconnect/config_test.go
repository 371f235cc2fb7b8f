package reconnect_test

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/slog"

	"darvaza.org/x/net/dialer"
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
		"nil function":    {func(c *reconnect.Config) { c.Dialer = dialer.Func(nil) }, "Dialer"},
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

func TestValidReportsEveryFieldThatIsUnusable(t *testing.T) {
	cfg := &reconnect.Config{Remote: "host", Alternates: []string{"a.test:1", "", "b.test:0"}, Dialer: dialer.Func(nil)}
	err := cfg.Valid()
	for _, field := range []string{"Remote", "Alternates[1]", "Alternates[2]", "Dialer"} {
		assert.ErrorContains(t, err, "Config."+field)
	}
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

func TestReconnectDelayIsTheTimeBetweenAttempts(t *testing.T) {
	for name, tc := range map[string]struct{ delay, want time.Duration }{
		"zero is five seconds": {0, 5 * time.Second},
		"as given":             {time.Hour, time.Hour},
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
			c := newClient(t, &reconnect.Config{Remote: pipeRemote, Dialer: p, ReconnectDelay: tc.delay})
			require.NoError(t, c.Connect())

			begin := time.Now()
			require.NoError(t, p.WaitDials(context.Background(), 3))
			assert.Equal(t, 2*tc.want, time.Since(begin))
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
		connected := connecting(c)
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

// What a careless caller takes for no value at all.
type (
	pointerContext struct{ context.Context }
	pointerLogger  struct{ slog.Logger }
)

func TestNilPointerInAFieldIsRefusedWithoutAPanic(t *testing.T) {
	for field, cfg := range map[string]*reconnect.Config{
		"Config.Context": {Context: (*pointerContext)(nil)},
		"Config.Dialer":  {Dialer: (*net.Dialer)(nil)},
		"Config.Logger":  {Logger: (*pointerLogger)(nil)},
	} {
		t.Run(field, func(t *testing.T) {
			cfg.Remote = pipeRemote
			_, err := reconnect.New(cfg)
			require.ErrorIs(t, err, core.ErrInvalid)
			require.ErrorContains(t, err, field)
		})
	}
}

func TestConfigMayBeCopiedByValueWhileReloadRuns(t *testing.T) {
	cfg := &reconnect.Config{Remote: "127.0.0.1:1"}
	c := newClient(t, cfg)
	var reloading sync.WaitGroup
	reloading.Go(func() {
		for range 20 {
			assert.NoError(t, c.Reload())
		}
	})
	for range 20 {
		other := *c.Config()
		d, err := reconnect.New(&other)
		require.NoError(t, err)
		d.Cancel(nil)
	}
	reloading.Wait()
}

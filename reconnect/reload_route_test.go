package reconnect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
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
		before := c.Status()
		c.Config().Alternates = []string{"another.test:4000"}
		require.NoError(t, c.Reload())
		require.Equal(t, before, c.Status(), "nothing of this is to be seen")
		told := make(chan reconnect.Status, 1)
		go func() {
			st, err := c.WaitStatus(context.Background(), before.Version)
			assert.NoError(t, err)
			told <- st
		}()
		synctest.Wait()
		other(c)
		require.NoError(t, c.Reload())
		require.Equal(t, c.Status(), <-told)
		require.Equal(t, reconnect.Idle, c.State())
		require.Equal(t, "other.test:4000", c.Status().Remote)
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

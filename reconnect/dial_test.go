package reconnect_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

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

func TestDialerThatReturnsNothingUsableIsAFailedAttempt(t *testing.T) {
	for name, tc := range map[string]struct {
		dial func() (net.Conn, error)
		want error
	}{
		"neither connection nor error":  {func() (net.Conn, error) { return nil, nil }, reconnect.ErrAbnormalConnect},
		"a nil pointer and no error":    {func() (net.Conn, error) { return (*net.TCPConn)(nil), nil }, reconnect.ErrAbnormalConnect},
		"a nil *tls.Conn and an error":  {func() (net.Conn, error) { return (*tls.Conn)(nil), io.EOF }, io.EOF},
		"a nil *tls.Conn and no error":  {func() (net.Conn, error) { return (*tls.Conn)(nil), nil }, syscall.ECONNABORTED},
		"refused":                       {func() (net.Conn, error) { return nil, testutil.ConnRefused("tcp", pipeRemote) }, syscall.ECONNREFUSED},
		"a deadline of its own context": {func() (net.Conn, error) { return nil, context.DeadlineExceeded }, context.DeadlineExceeded},
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			n := 0
			cfg := pipeConfig(p)
			cfg.Dialer = dialer.Func(func(ctx context.Context, network, address string) (net.Conn, error) {
				if n++; n < 3 {
					return tc.dial()
				}
				return p.DialContext(ctx, network, address)
			})
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			require.NoError(t, c.WaitConnected(guarded(t)))
			assert.EqualValues(t, 2, c.Status().Failures)
			require.ErrorIs(t, c.Status().LastError, tc.want)
		})
	}
}

func TestConnectionThatComesWithAnErrorIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Hour)
		cfg.Dialer = dialer.Func(func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, _ := p.DialContext(ctx, network, address)
			return conn, io.EOF
		})
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		assert.Zero(t, p.Open())
	})
}

func TestNilPointerOfADialerUnderTLSIsAnAbnormalConnect(t *testing.T) {
	var dials atomic.Int32
	c := newClient(t, &reconnect.Config{
		Remote:    pipeRemote,
		TLSConfig: new(tls.Config),
		Dialer: dialer.Func(func(context.Context, string, string) (net.Conn, error) {
			dials.Add(1)
			return (*testutil.FaultConn)(nil), nil
		}),
		WaitReconnect: reconnect.NewDoNotReconnectWaiter(nil),
	})
	require.NoError(t, c.Connect())
	require.NoError(t, waitDone(t, c))
	require.ErrorIs(t, c.Status().LastError, reconnect.ErrAbnormalConnect)
	require.EqualValues(t, 1, dials.Load())
}

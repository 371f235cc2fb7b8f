package reconnect_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// A keepAlive is how the kernel probes a connection. Zero: not at all.
type keepAlive struct {
	idle, interval, count int // in seconds, and probes
}

func keepAliveOf(t *testing.T, conn net.Conn) (k keepAlive) {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	get := func(fd uintptr, level, option int) int {
		value, err := syscall.GetsockoptInt(int(fd), level, option)
		assert.NoError(t, err)
		return value
	}
	require.NoError(t, raw.Control(func(fd uintptr) {
		if get(fd, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) == 0 {
			return
		}
		k.idle = get(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)
		k.interval = get(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL)
		k.count = get(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT)
	}))
	return k
}

func TestKeepAliveOfTheConfigReachesTheSocket(t *testing.T) {
	s := testutil.NewEchoServer(t, "tcp")
	seen := make(chan keepAlive, 1)
	cfg := &reconnect.Config{
		Remote: s.Remote(), WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
		OnConnect: func(_ context.Context, conn net.Conn) error { seen <- keepAliveOf(t, conn); return nil },
	}
	c := newClient(t, cfg, patient)
	require.NoError(t, c.Connect())
	assert.Equal(t, keepAlive{5, 5, 3}, receive(t, seen), "default")
	for _, tc := range []struct {
		d    time.Duration
		want keepAlive
	}{
		{42 * time.Second, keepAlive{42, 42, 3}},
		{-1, keepAlive{}},
		{7 * time.Second, keepAlive{7, 7, 3}},
		{0, keepAlive{5, 5, 3}},
	} {
		given := &reconnect.Config{Remote: s.Remote(), KeepAlive: tc.d, OnConnect: cfg.OnConnect}
		other := newClient(t, given, patient)
		require.NoError(t, other.Connect())
		assert.Equal(t, tc.want, receive(t, seen), "given: %v", tc.d)

		c.Config().KeepAlive = tc.d
		require.NoError(t, c.Reload())
		require.NoError(t, c.Reconnect())
		assert.Equal(t, tc.want, receive(t, seen), "after a Reload: %v", tc.d)
	}
}

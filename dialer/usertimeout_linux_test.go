package dialer_test

import (
	"math"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
)

// userTimeoutOf reads TCP_USER_TIMEOUT back, in milliseconds.
func userTimeoutOf(t *testing.T, conn net.Conn) int {
	t.Helper()
	raw, err := conn.(syscall.Conn).SyscallConn()
	require.NoError(t, err)

	var ms int
	var optErr error
	require.NoError(t, raw.Control(func(fd uintptr) {
		ms, optErr = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, 0x12)
	}))
	require.NoError(t, optErr)
	return ms
}

func TestUserTimeoutSetsTheOptionInMillisecondsRoundedUp(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	for d, ms := range map[time.Duration]int{
		1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, 30 * time.Second: 30000, math.MaxInt64: math.MaxInt32,
	} {
		conn := mustDial(t, dialer.New(dialer.Config{OnSocket: dialer.UserTimeout(d)}), "tcp", ln.Addr().String())
		assert.Equal(t, ms, userTimeoutOf(t, conn), d)
	}
}

func TestUserTimeoutLeavesOtherSocketsThanTCPAlone(t *testing.T) {
	ln := listenUnix(t)
	serve(t, ln, hold)
	d := dialer.New(dialer.Config{OnSocket: dialer.UserTimeout(time.Second)})
	mustDial(t, d, "unix", ln.Addr().String())
	mustDial(t, d, "udp", "127.0.0.1:9")
}

func TestUserTimeoutTellsOfASocketItCannotUse(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	conn := mustDial(t, dialer.New(dialer.Config{}), "tcp", ln.Addr().String())
	raw, err := conn.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	assert.ErrorIs(t, dialer.UserTimeout(time.Second)(t.Context(), raw), net.ErrClosed)

	// A descriptor that is no socket.
	assert.ErrorIs(t, dialer.UserTimeout(time.Second)(t.Context(), notASocket{}), syscall.EBADF)
}

// notASocket hands out a descriptor that doesn't exist.
type notASocket struct{ syscall.RawConn }

func (notASocket) Control(f func(uintptr)) error {
	f(math.MaxInt32)
	return nil
}

func TestKeepAliveIsSetOnTheSocket(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	for keepAlive, want := range map[time.Duration][4]int{0: {1, 5, 5, 3}, 7 * time.Second: {1, 7, 7, 3}, -1: {0}, 24 * time.Hour: {1, 32767, 32767, 3}} {
		conn := mustDial(t, dialer.New(dialer.Config{KeepAlive: keepAlive}), "tcp", ln.Addr().String())
		raw, err := conn.(syscall.Conn).SyscallConn()
		require.NoError(t, err)

		var got [4]int
		require.NoError(t, raw.Control(func(fd uintptr) {
			got[0], _ = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
			if got[0] != 0 {
				got[1], _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)
				got[2], _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL)
				got[3], _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT)
			}
		}))
		assert.Equal(t, want, got, keepAlive)
	}
}

package dialer_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/dialer"
)

func quoted(s string) string { return strconv.Quote(s) }

// FuzzParseRemote checks that no input panics, that rejections can be matched,
// and that package net finds nothing to say against what is accepted. Names
// are not looked up: only literals are dialled, up to the socket's creation.
func FuzzParseRemote(f *testing.F) {
	f.Fuzz(func(t *testing.T, remote string) {
		network, address, err := dialer.ParseRemote(remote)
		if err != nil {
			assert.ErrorIs(t, err, core.ErrInvalid)
			assert.ErrorContains(t, err, quoted(remote))
			assert.Empty(t, network+address)
			return
		}

		switch network {
		case dialer.NetworkUnix:
			checkParsedUnix(t, remote, address)
		case dialer.NetworkTCP:
			checkParsedTCP(t, remote, address)
		default:
			t.Errorf("network %q", network)
		}
	})
}

func checkParsedUnix(t *testing.T, remote, address string) {
	assert.True(t, strings.HasSuffix(remote, address))
	assert.NotContains(t, address, "\x00")

	// The same name, prefixed, is the same socket.
	if !strings.HasPrefix(address, "//") {
		network, again, err := dialer.ParseRemote("unix:" + address)
		require.NoError(t, err)
		assert.Equal(t, dialer.NetworkUnix, network)
		assert.Equal(t, address, again)
	}
	assertDialable(t, dialer.NetworkUnix, address)
}

func checkParsedTCP(t *testing.T, remote, address string) {
	assert.Equal(t, remote, address)

	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	assert.NotEmpty(t, host)
	number, err := net.LookupPort("tcp", port)
	require.NoError(t, err)
	assert.Positive(t, number)

	if ip, err := netip.ParseAddr(host); err == nil {
		assert.False(t, ip.WithZone("").Unmap().IsUnspecified())
		assertDialable(t, dialer.NetworkTCP, address)
	}
}

var errStopDialing = errors.New("far enough")

// assertDialable dials until there is a socket, which takes an address that
// package net could parse, and sends nothing.
func assertDialable(t *testing.T, network, address string) {
	d := net.Dialer{
		ControlContext: func(context.Context, string, string, syscall.RawConn) error { return errStopDialing },
	}
	conn, err := d.DialContext(t.Context(), network, address)
	if conn != nil {
		_ = conn.Close()
	}

	var syscallErr *net.OpError
	if errors.Is(err, errStopDialing) || errors.As(err, &syscallErr) && isErrno(err) {
		// A machine without IPv6 has no socket for it.
		return
	}
	t.Errorf("dial %s %q: %v", network, address, err)
}

func isErrno(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno)
}

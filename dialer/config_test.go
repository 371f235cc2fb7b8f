package dialer_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/dialer"
)

func TestExportTurnsZeroIntoTheDefaults(t *testing.T) {
	d := dialer.Config{}.Export()

	assert.Equal(t, 2*time.Second, d.Timeout)
	assert.Equal(t, net.KeepAliveConfig{
		Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3,
	}, d.KeepAliveConfig)
	assert.Nil(t, d.ControlContext, "without OnSocket there is nothing to run")
	assert.Nil(t, d.Resolver)
}

func TestExportTurnsNegativeIntoOff(t *testing.T) {
	d := dialer.Config{KeepAlive: -1, Timeout: -time.Hour}.Export()

	assert.Zero(t, d.Timeout)
	assert.False(t, d.KeepAliveConfig.Enable)
	assert.Negative(t, d.KeepAlive)
}

func TestExportKeepsWhatIsSet(t *testing.T) {
	resolver := new(net.Resolver)
	d := dialer.Config{KeepAlive: time.Minute, Timeout: time.Hour, Resolver: resolver}.Export()

	assert.Equal(t, time.Hour, d.Timeout)
	assert.Equal(t, time.Minute, d.KeepAliveConfig.Idle)
	assert.Equal(t, time.Minute, d.KeepAliveConfig.Interval)
	assert.Same(t, resolver, d.Resolver)
}

func TestFuncIsADialer(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()

	var d dialer.Dialer = dialer.Func(func(_ context.Context, network, address string) (net.Conn, error) {
		assert.Equal(t, "any", network)
		assert.Equal(t, "where", address)
		return client, nil
	})
	conn, err := d.DialContext(t.Context(), "any", "where")
	require.NoError(t, err)
	assert.Same(t, client, conn)
}

func TestNilFuncIsAnError(t *testing.T) {
	conn, err := dialer.Func(nil).DialContext(t.Context(), "tcp", "a:1")
	assert.Nil(t, conn)
	assert.ErrorIs(t, err, core.ErrInvalid)
	assert.ErrorContains(t, err, "dialer: dial tcp a:1")
}

func TestBothDialersReachTCPAndUnix(t *testing.T) {
	for _, ln := range []net.Listener{listenTCP(t), listenUnix(t)} {
		serve(t, ln, hold)
		network, address := ln.Addr().Network(), ln.Addr().String()

		for _, onSocket := range []func(context.Context, syscall.RawConn) error{nil, pass} {
			cfg := dialer.Config{OnSocket: onSocket}
			exported := cfg.Export()
			for _, d := range []dialer.Dialer{&exported, dialer.New(cfg)} {
				conn := mustDial(t, d, network, address)
				assert.Equal(t, ln.Addr().String(), conn.RemoteAddr().String())
			}
		}
	}
}

func TestNewLeavesOtherNetworksToTheStandardDialer(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer pc.Close()

	conn := mustDial(t, dialer.New(dialer.Config{}), "udp", pc.LocalAddr().String())
	assert.IsType(t, (*net.UDPConn)(nil), conn)

	_, err = dialer.New(dialer.Config{}).DialContext(t.Context(), "nonsense", "a:1")
	assert.ErrorAs(t, err, new(net.UnknownNetworkError))
	for _, address := range []string{"", "a", "a:b:1", "[::1"} {
		_, err = dialer.New(dialer.Config{}).DialContext(t.Context(), "tcp", address)
		assert.ErrorAs(t, err, new(*net.OpError), address)
	}
}

func TestNewDialsLiteralsAsCheaplyAsTheStandardDialer(t *testing.T) {
	cfg := dialer.Config{}
	exported := cfg.Export()

	// A cancelled dial does all the preparations, and nothing of what the
	// other end of a connection would allocate.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	for _, tc := range []struct{ network, address string }{
		{"tcp", "127.0.0.1:443"}, {"tcp4", "127.0.0.1:443"}, {"tcp", "[::1]:443"}, {"unix", "/run/a.sock"},
	} {
		measure := func(d dialer.Dialer) float64 {
			return testing.AllocsPerRun(100, func() { _, _ = d.DialContext(ctx, tc.network, tc.address) })
		}
		assert.Equal(t, measure(&exported), measure(dialer.New(cfg)), tc.address)
	}
}

// pass is an OnSocket that minds nothing.
func pass(context.Context, syscall.RawConn) error { return nil }

func BenchmarkDialLiteral(b *testing.B) {
	for _, ln := range []net.Listener{listenTCP(b), listenUnix(b)} {
		serve(b, ln, func(net.Conn) {})
		cfg := dialer.Config{}
		exported := cfg.Export()
		network, address := ln.Addr().Network(), ln.Addr().String()

		for name, d := range map[string]dialer.Dialer{
			"raw":      new(net.Dialer),
			"export":   &exported,
			"new":      dialer.New(cfg),
			"onsocket": dialer.New(dialer.Config{OnSocket: pass}),
		} {
			b.Run(network+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					conn, err := d.DialContext(b.Context(), network, address)
					if err != nil {
						b.Fatal(err)
					}
					_ = conn.Close()
				}
			})
		}
	}
}

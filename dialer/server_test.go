package dialer_test

import (
	"context"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
)

// serve accepts connections until the test ends and hands each to handle, on
// a goroutine of its own. At the end it closes them all and waits.
func serve(t testing.TB, ln net.Listener, handle func(net.Conn)) {
	t.Helper()

	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		cancel()
		wg.Wait()
	})
}

// hold keeps a connection open until the peer closes it.
func hold(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 1))
}

func listenTCP(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return ln
}

func listenUnix(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Skip("no Unix sockets here:", err)
	}
	return ln
}

// deadPort returns the address of a port that refuses connections.
func deadPort(t testing.TB) string {
	t.Helper()
	ln := listenTCP(t)
	defer ln.Close()
	return ln.Addr().String()
}

// mustDial dials and closes the connection with the test.
func mustDial(t testing.TB, d dialer.Dialer, network, address string) net.Conn {
	t.Helper()
	conn, err := d.DialContext(context.Background(), network, address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

package main

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/testutil"
)

// newTLSServer starts a server that speaks TLS and sends back what it gets.
func newTLSServer(t *testing.T, network string, cfg *tls.Config) *testutil.Server {
	t.Helper()
	return testutil.NewServer(t, network, func(conn net.Conn) {
		secure := tls.Server(conn, cfg)
		testutil.Echo(secure)
		_ = secure.Close() // says so to the peer
	})
}

func TestItSpeaksTLSOverEitherNetwork(t *testing.T) {
	ca := newAuthority(t)
	for network, more := range map[string][]string{"tcp": nil, "unix": {"-servername", "localhost"}} {
		server := newTLSServer(t, network, ca.server(false))
		args := append([]string{"-tls", "-ca", ca.file, server.Remote()}, more...)
		code, out, stderr := once(t, "hello\n", args...)
		assert.Equal(t, exitOK, code)
		assert.Equal(t, "hello\n", out)
		assert.Empty(t, stderr)
	}
}

func TestAServerThatCannotBeTrustedEndsIt(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	server := newTLSServer(t, "tcp", ca.server(false))
	for _, args := range [][]string{
		{"-tls", server.Remote()},
		{"-tls", "-ca", other.file, server.Remote()},
		{"-tls", "-ca", ca.file, "-servername", "example.com", server.Remote()},
	} {
		code, out, stderr := once(t, "secret\n", args...)
		assert.Equal(t, exitFailure, code)
		assert.Empty(t, out)
		assert.Contains(t, stderr, "certificate")
		assert.NotContains(t, stderr, "not sent", "nothing was read before there was a connection")
	}
	code, out, _ := once(t, "hello\n", "-tls", "-insecure", server.Remote())
	assert.Equal(t, exitOK, code)
	assert.Equal(t, "hello\n", out)
}

func TestAServerThatHangsUpWithinTheHandshakeIsNoConnection(t *testing.T) {
	server := testutil.NewServer(t, "tcp", func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1<<16))
	})
	code, out, stderr := once(t, "a request\n", "-once", "-tls", server.Remote())
	assert.Equal(t, exitFailure, code)
	assert.Empty(t, out)
	assert.Contains(t, stderr, "TLS handshake")
}

func TestItPresentsACertificate(t *testing.T) {
	ca := newAuthority(t)
	server := newTLSServer(t, "tcp", ca.server(true))
	cert, key := ca.issue("client")

	both := filepath.Join(t.TempDir(), "both.pem")
	var content []byte
	for _, file := range []string{cert, key} {
		part, err := os.ReadFile(file)
		require.NoError(t, err)
		content = append(content, part...)
	}
	require.NoError(t, os.WriteFile(both, content, 0o600))

	for _, args := range [][]string{{"-cert", cert, "-key", key}, {"-cert", both}} {
		code, out, stderr := once(t, "hello\n", append(args, "-tls", "-ca", ca.file, server.Remote())...)
		assert.Equal(t, exitOK, code, stderr)
		assert.Equal(t, "hello\n", out)
	}
}

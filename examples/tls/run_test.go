package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// transcript is what the program prints.
const transcript = `client: server #1 says: hello, client #1
rotation: new certificates for both sides
client: server #1 says: still there? yes, client #1
client: asked to reconnect
client: server #2 says: hello, client #2
server: shows the certificate of an authority that nobody knows
client: stops, since it can't verify the server
`

// stopAfter is a page that calls stop with its last line.
type stopAfter struct {
	bytes.Buffer
	lines int
	stop  func()
}

func (s *stopAfter) Write(p []byte) (int, error) {
	if s.lines--; s.lines == 0 {
		s.stop()
	}
	return s.Buffer.Write(p)
}

func TestCertificatesOfBothSidesAreReplacedBetweenSessions(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, transcript, out.String())
}

func TestAnInterruptAtAnyLineIsACleanEnd(t *testing.T) {
	for n := range strings.Count(transcript, "\n") {
		ctx, cancel := context.WithCancel(t.Context())
		out := &stopAfter{lines: n + 1, stop: cancel}
		err := run(ctx, out)
		assert.True(t, reconnect.IsNonError(err), "line %d: %v", n+1, err)
		assert.True(t, strings.HasPrefix(transcript, out.String()), "line %d: %s", n+1, out)
		cancel()
	}
}

func TestAClientOfAnotherAuthorityIsNotServed(t *testing.T) {
	ours, err := newAuthority("ours")
	require.NoError(t, err)
	theirs, err := newAuthority("theirs")
	require.NoError(t, err)
	var own keeper
	cert, err := ours.issueServer("server")
	require.NoError(t, err)
	own.replace(cert)
	server := testutil.NewServer(t, "tcp", newHost(ours.pool(), &own).serve)

	for name, certs := range map[string]func() (*tls.Certificate, error){
		"of another authority": func() (*tls.Certificate, error) { return theirs.issueClient("client") },
		"of a server":          func() (*tls.Certificate, error) { return ours.issueServer("client") },
		"none":                 func() (*tls.Certificate, error) { return new(tls.Certificate), nil },
	} {
		t.Run(name, func(t *testing.T) {
			cert, err := certs()
			require.NoError(t, err)
			raw, err := net.Dial("tcp", server.Remote())
			require.NoError(t, err)
			conn := tls.Client(raw, &tls.Config{
				RootCAs:      ours.pool(),
				ServerName:   "127.0.0.1",
				Certificates: []tls.Certificate{*cert},
			})
			defer func() { _ = conn.Close() }()
			_, err = conn.Read(make([]byte, 1)) // with TLS 1.3 the refusal comes after the handshake
			assert.ErrorContains(t, err, "remote error: tls: ")
		})
	}
}

func TestAConnectionWithoutTLSIsRefused(t *testing.T) {
	near, far := net.Pipe()
	defer func() { _ = near.Close(); _ = far.Close() }()
	assert.ErrorIs(t, new(visitor).look(t.Context(), near), errNoTLS)
}

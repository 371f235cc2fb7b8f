package main

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/internal/demotest"
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

func TestCertificatesOfBothSidesAreReplacedBetweenSessions(t *testing.T) {
	demotest.Prints(t, transcript, run)
}

func TestAnInterruptAtAnyLineIsACleanEnd(t *testing.T) {
	demotest.StopAtEveryLine(t, transcript, run)
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

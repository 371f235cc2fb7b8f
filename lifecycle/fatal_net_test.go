package lifecycle_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/lifecycle"
)

// These check the opinion on errors as the standard library really makes them.

func listen(t *testing.T) net.Listener {
	t.Helper()
	lsn, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = lsn.Close() })
	return lsn
}

// dialPair gives both ends of a connection.
func dialPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	lsn := listen(t)
	client, err := net.Dial("tcp", lsn.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	server, err = lsn.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	return client, server
}

func TestIsFatalIsFalseForARefusedDial(t *testing.T) {
	lsn := listen(t)
	require.NoError(t, lsn.Close())
	_, err := net.Dial("tcp", lsn.Addr().String())
	require.Error(t, err)
	assert.False(t, lifecycle.IsFatal(err), "%v", err)
}

func TestIsFatalIsFalseForAMissingSocket(t *testing.T) {
	_, err := net.Dial("unix", filepath.Join(t.TempDir(), "a.sock"))
	require.Error(t, err)
	assert.False(t, lifecycle.IsFatal(err), "%v", err)
}

func TestIsFatalIsFalseForReadsThatEnd(t *testing.T) {
	client, server := dialPair(t)
	buf := make([]byte, 1)

	require.NoError(t, client.SetReadDeadline(time.Unix(1, 0)))
	_, err := client.Read(buf)
	require.Error(t, err)
	assert.False(t, lifecycle.IsFatal(err), "%v", err)

	require.NoError(t, client.SetReadDeadline(time.Time{}))
	require.NoError(t, server.Close())
	_, err = client.Read(buf)
	require.Error(t, err)
	assert.False(t, lifecycle.IsFatal(err), "%v", err)

	require.NoError(t, client.Close())
	_, err = client.Read(buf)
	require.Error(t, err)
	assert.False(t, lifecycle.IsFatal(err), "%v", err)
}

func TestIsFatalIsTrueForADialThatCanNeverWork(t *testing.T) {
	_, err := net.Dial("carrier-pigeon", "127.0.0.1:1")
	assert.True(t, lifecycle.IsFatal(err), "%v", err)

	_, err = net.Dial("tcp", "127.0.0.1")
	assert.True(t, lifecycle.IsFatal(err), "%v", err)

	_, err = net.Dial("tcp", "")
	assert.True(t, lifecycle.IsFatal(err), "%v", err)
}

func TestIsFatalIsTrueForACancelledDialAndFalseForALateOne(t *testing.T) {
	var d net.Dialer
	addr := listen(t).Addr().String()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.DialContext(ctx, "tcp", addr)
	require.Error(t, err)
	assert.True(t, lifecycle.IsFatal(err), "%v", err)

	ctx, cancel = context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	_, err = d.DialContext(ctx, "tcp", addr)
	require.Error(t, err)
	assert.False(t, lifecycle.IsFatal(err), "%v", err)
}

// certificate makes a server certificate that nobody trusts.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"a.example"},
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// handshake runs both sides and gives what each made of it. The server reads on
// after a failure, so that its alert isn't lost to a reset.
func handshake(t *testing.T, client, server *tls.Config) (clientErr, serverErr error) {
	t.Helper()
	c, s := dialPair(t)
	done := make(chan error)
	go func() {
		err := tls.Server(s, server).Handshake()
		_, _ = io.Copy(io.Discard, s)
		done <- err
	}()
	clientErr = tls.Client(c, client).Handshake()
	_ = c.Close()
	return clientErr, <-done
}

func TestIsFatalIsTrueForCertificatesThatEitherSideRejects(t *testing.T) {
	server := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}

	here, there := handshake(t, &tls.Config{ServerName: "a.example"}, server)
	require.Error(t, here)
	assert.True(t, lifecycle.IsFatal(here), "%v", here)
	require.ErrorContains(t, there, "remote error: tls:")
	assert.True(t, lifecycle.IsFatal(there), "%v", there)

	// The alert is an error of an unexported type here. TLS 1.2 has the client
	// hear of it within the handshake.
	server.ClientAuth = tls.RequireAnyClientCert
	server.MaxVersion = tls.VersionTLS12
	here, _ = handshake(t, &tls.Config{InsecureSkipVerify: true}, server)
	require.ErrorContains(t, here, "remote error: tls:")
	assert.True(t, lifecycle.IsFatal(here), "%v", here)
}

func TestIsFatalIsFalseForAServerThatHasNoCertificateYet(t *testing.T) {
	sealed := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("sealed") }
	here, _ := handshake(t, &tls.Config{InsecureSkipVerify: true}, &tls.Config{GetCertificate: sealed})
	require.ErrorContains(t, here, "remote error: tls: internal error")
	assert.False(t, lifecycle.IsFatal(here), "%v", here)
}

func TestIsFatalIsFalseForAWriteOverTLSAfterCloseWrite(t *testing.T) {
	c, s := dialPair(t)
	server := tls.Server(s, &tls.Config{Certificates: []tls.Certificate{certificate(t)}})
	go func() { _ = server.Handshake() }()
	client := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, client.Handshake())
	require.NoError(t, client.CloseWrite())
	_, err := client.Write([]byte("bye"))
	require.Error(t, err)
	assert.False(t, lifecycle.IsFatal(fmt.Errorf("goodbye: %w", err)), "%v", err)
}

// damagingConn changes a byte of what is read, counted from the end where it is negative.
type damagingConn struct {
	net.Conn
	on   bool
	at   int
	bits byte
}

func (c *damagingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.on && n > 0 {
		b[(n+c.at)%n] ^= c.bits
		c.on = false
	}
	return n, err
}

func TestIsFatalIsFalseForBytesThatWereDamagedOnTheirWay(t *testing.T) {
	for _, tc := range []struct {
		at   int
		bits byte
		text string
	}{
		{-1, 1, "tls: bad record MAC"},
		{1, 1, "received record with version"},
		{3, 1 << 7, "oversized record"},
	} {
		c, s := dialPair(t)
		server := tls.Server(s, &tls.Config{Certificates: []tls.Certificate{certificate(t)}, SessionTicketsDisabled: true})
		remote := make(chan error, 1)
		go func() {
			_, _ = server.Write([]byte("hello"))
			_, err := server.Read(make([]byte, 1))
			remote <- err
		}()
		damaged := &damagingConn{Conn: c, at: tc.at, bits: tc.bits}
		client := tls.Client(damaged, &tls.Config{InsecureSkipVerify: true})
		require.NoError(t, client.Handshake())
		damaged.on = true
		_, err := client.Read(make([]byte, 5))
		require.ErrorContains(t, err, tc.text)
		assert.False(t, lifecycle.IsFatal(err), "%v", err)
		_, err = client.Write([]byte("bye"))
		require.ErrorContains(t, err, "local error: tls:")
		assert.False(t, lifecycle.IsFatal(err), "%v", err)
		err = <-remote
		require.ErrorContains(t, err, "remote error: tls:")
		assert.Equal(t, tc.at > 0, lifecycle.IsFatal(err), "%v", err)
	}
}

func TestIsFatalIsTrueForAServerThatDoesNotSpeakTLS(t *testing.T) {
	for _, greeting := range []string{"220 ready\r\n", "\x80 is a length"} {
		c, s := dialPair(t)
		_, err := io.WriteString(s, greeting)
		require.NoError(t, err)
		err = tls.Client(c, &tls.Config{ServerName: "a.example"}).Handshake()
		require.Error(t, err)
		assert.True(t, lifecycle.IsFatal(err), "%v", err)
	}
}

func TestIsFatalIsFalseForAHandshakeCutShort(t *testing.T) {
	c, s := dialPair(t)
	require.NoError(t, s.(*net.TCPConn).CloseWrite())
	err := tls.Client(c, &tls.Config{ServerName: "a.example"}).Handshake()
	require.Error(t, err)
	assert.False(t, lifecycle.IsFatal(err), "%v", err)
}

package reconnect_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// hangGuard bounds what must not hang. It is no measure of speed.
const hangGuard = 30 * time.Second

// pipeRemote is the remote of clients that dial a pipe.
const pipeRemote = "server.test:4000"

// guarded gives a context that ends a test which hangs.
func guarded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), hangGuard)
	t.Cleanup(cancel)
	return ctx
}

// newPipe makes a server in memory that lasts as long as the test. With a nil
// handle it holds connections open.
func newPipe(t testing.TB, handle func(net.Conn)) *testutil.PipeListener {
	p := testutil.Pipe(handle)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// pipeConfig is for a client of p that doesn't wait between attempts.
func pipeConfig(p *testutil.PipeListener) *reconnect.Config {
	return &reconnect.Config{
		Remote:        pipeRemote,
		Dialer:        p,
		WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
	}
}

// newClient makes a client that is stopped at the end of the test.
func newClient(t testing.TB, cfg *reconnect.Config, options ...reconnect.OptionFunc) *reconnect.Client {
	t.Helper()
	c, err := reconnect.New(cfg, options...)
	require.NoError(t, err)
	t.Cleanup(func() {
		c.Cancel(nil)
		_ = waitDone(t, c)
	})
	return c
}

// waitDone waits for the end of a client, and gives the reason of its stop.
func waitDone(t testing.TB, c *reconnect.Client) error {
	t.Helper()
	select {
	case <-c.Done():
		return c.Wait()
	case <-time.After(hangGuard):
		t.Fatalf("client hangs in state %v", c.State())
		return nil
	}
}

// receive takes a value from ch, unless that hangs.
func receive[T any](t testing.TB, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(hangGuard):
		t.Fatal("nothing arrives")
	}
	return v
}

// requirePanicError demands a panic's error that has its payload and its stack.
func requirePanicError(t testing.TB, err error, payload any) {
	t.Helper()
	var pe *core.PanicError
	require.ErrorAs(t, err, &pe)
	require.Equal(t, fmt.Sprint(payload), fmt.Sprint(pe.Recovered()))
	require.NotEmpty(t, pe.CallStack())
}

// freeRemote gives a TCP address that refuses connections.
func freeRemote(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// goroutineID tells goroutines apart.
func goroutineID() string {
	buf := make([]byte, 64)
	return string(bytes.Fields(buf[:runtime.Stack(buf, false)])[1])
}

// selfSigned makes a certificate for names and the client configuration that
// trusts it.
func selfSigned(t testing.TB, names ...string) (tls.Certificate, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "test"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		DNSNames:              names,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf},
		&tls.Config{RootCAs: roots}
}

// bubble runs a subtest in virtual time.
func bubble(t *testing.T, name string, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// onStreams runs a test over TCP and a Unix socket.
func onStreams(t *testing.T, test func(t *testing.T, network string)) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) { test(t, network) })
	}
}

// talk exchanges n messages with an echo server.
func talk(t testing.TB, c *reconnect.Client, n int) {
	t.Helper()
	p := []byte("0123456789")
	for range n {
		_, err := c.Write(p)
		require.NoError(t, err)
		_, err = io.ReadFull(c, make([]byte, len(p)))
		require.NoError(t, err)
	}
}

// funcDialer is a function as a Dialer.
type funcDialer func(context.Context, string, string) (net.Conn, error)

func (f funcDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

// listError can't be compared, and so panics in a careless ==.
type listError []string

func (e listError) Error() string { return strings.Join(e, ", ") }

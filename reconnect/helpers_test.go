package reconnect_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// hangGuard bounds what must not hang. It is no measure of speed.
const hangGuard = 30 * time.Second

// pipeRemote is the remote of clients that dial a pipe.
const pipeRemote = "server.test:4000"

// over gives a context that has ended.
func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// untilDone is a session, a wait or a callback that lasts until its context ends.
func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

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

// wrapped dials with d, and has each connection wrapped.
func wrapped(d reconnect.Dialer, wrap func(net.Conn) net.Conn) reconnect.Dialer {
	return dialer.Func(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return wrap(conn), nil
	})
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

// patient is for a client whose test isn't about time: what it doesn't set is
// bounded by what would be a hang.
func patient(cfg *reconnect.Config) error {
	for _, d := range []*time.Duration{&cfg.DialTimeout, &cfg.ReadTimeout, &cfg.WriteTimeout} {
		if *d == 0 {
			*d = hangGuard
		}
	}
	return nil
}

// connecting calls Connect in the background, and gives what that returns.
func connecting(c *reconnect.Client) <-chan error {
	connected := make(chan error, 1)
	go func() { connected <- c.Connect() }()
	return connected
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

// listError can't be compared, and so panics in a careless ==.
type listError []string

func (e listError) Error() string { return strings.Join(e, ", ") }

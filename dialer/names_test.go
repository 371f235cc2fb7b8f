package dialer_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
)

// portOf returns the port of an address as text.
func portOf(t testing.TB, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	return port
}

func TestNewLooksNamesUpWithItsResolver(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)
	resolver := newResolver(t, names{"one.test": {"127.0.0.1"}})

	for _, network := range []string{"tcp", "tcp4"} {
		d := dialer.New(dialer.Config{Resolver: resolver})
		conn := mustDial(t, d, network, "one.test.:"+portOf(t, ln.Addr().String()))
		assert.Equal(t, ln.Addr().String(), conn.RemoteAddr().String())
	}
}

func TestNewReadsTheDefaultResolverWhenItDials(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)
	d := dialer.New(dialer.Config{})

	before := net.DefaultResolver
	defer func() { net.DefaultResolver = before }()
	net.DefaultResolver = newResolver(t, names{"late.test": {"127.0.0.1"}})

	mustDial(t, d, "tcp", "late.test.:"+portOf(t, ln.Addr().String()))
}

func TestNewRunsOnSocketForTheAddressOfAName(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	var calls atomic.Int32
	d := dialer.New(dialer.Config{
		Resolver: newResolver(t, names{"one.test": {"127.0.0.1"}}),
		OnSocket: func(context.Context, syscall.RawConn) error {
			calls.Add(1)
			return nil
		},
	})
	mustDial(t, d, "tcp", "one.test.:"+portOf(t, ln.Addr().String()))
	assert.EqualValues(t, 1, calls.Load())
}

func TestFailedDialOfANameNamesTheRemoteAndTheAddress(t *testing.T) {
	dead := deadPort(t)
	d := dialer.New(dialer.Config{Resolver: newResolver(t, names{"one.test": {"127.0.0.1"}})})

	_, err := d.DialContext(t.Context(), "tcp", "one.test.:"+portOf(t, dead))
	require.Error(t, err)
	assert.ErrorAs(t, err, new(*net.OpError))
	assert.ErrorContains(t, err, "dialer: dial tcp one.test.:"+portOf(t, dead)+": ")
	assert.ErrorContains(t, err, dead)
	assert.NotErrorIs(t, err, context.DeadlineExceeded)
}

func TestFailedLookupCanBeMatched(t *testing.T) {
	d := dialer.New(dialer.Config{Resolver: newResolver(t, names{"four.test": {"127.0.0.1"}, "none.test": nil})})

	for network, address := range map[string]string{
		"tcp": "absent.test.:80", "tcp4": "none.test.:80", "tcp6": "none.test.:80",
	} {
		_, err := d.DialContext(t.Context(), network, address)
		var dnsErr *net.DNSError
		require.ErrorAs(t, err, &dnsErr)
		assert.True(t, dnsErr.IsNotFound)
		assert.ErrorContains(t, err, "dialer: dial "+network+" "+address+": ")
	}

	_, err := d.DialContext(t.Context(), "tcp6", "four.test.:80")
	assert.Error(t, err, "the name has no address of that family")
}

func TestNewTakesTheNameOfAService(t *testing.T) {
	d := dialer.New(dialer.Config{
		Resolver: newResolver(t, names{"one.test": {"127.0.0.1"}}),
		OnSocket: func(context.Context, syscall.RawConn) error { return errOnSocket },
	})
	_, err := d.DialContext(t.Context(), "tcp", "one.test.:https")
	assert.ErrorIs(t, err, errOnSocket)
	assert.ErrorContains(t, err, "127.0.0.1:443")

	_, err = d.DialContext(t.Context(), "tcp", "one.test.:no-such-service")
	assert.ErrorAs(t, err, new(*net.DNSError))
	assert.ErrorContains(t, err, "no-such-service")
}

func TestTimeoutCoversTheLookup(t *testing.T) {
	d := dialer.New(dialer.Config{Timeout: 50 * time.Millisecond, Resolver: newResolver(t, nil)})

	_, err := d.DialContext(t.Context(), "tcp", "silent.test.:80")
	assertTimeout(t, err)
	assert.ErrorAs(t, err, new(*net.DNSError))
}

func TestDeadlineOfTheContextCoversTheLookupWithTheTimeoutOff(t *testing.T) {
	d := dialer.New(dialer.Config{Timeout: -1, Resolver: newResolver(t, nil)})

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := d.DialContext(ctx, "tcp", "silent.test.:80")
	assertTimeout(t, err)
}

func TestCancelledLookupMatchesTheContext(t *testing.T) {
	resolver := newResolver(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	dialDNS := resolver.Dial
	resolver.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		cancel()
		return dialDNS(ctx, network, address)
	}

	_, err := dialer.New(dialer.Config{Resolver: resolver}).DialContext(ctx, "tcp", "silent.test.:80")
	assert.ErrorIs(t, err, context.Canceled)
}

func assertTimeout(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	var netErr net.Error
	if assert.ErrorAs(t, err, &netErr) {
		assert.True(t, netErr.Timeout())
	}
}

func TestFamiliesOfANameTakeTurns(t *testing.T) {
	d := dialer.New(dialer.Config{
		Resolver: newResolver(t, names{"both.test": {
			"127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.3", "::1", "::1", "2001:db8::1",
		}}),
		OnSocket: func(context.Context, syscall.RawConn) error { return errOnSocket },
	})
	_, err := d.DialContext(t.Context(), "tcp", "both.test.:9")

	// The error lists the addresses in the order of their turns. Which family
	// comes first depends on the network of the machine.
	var joined interface{ Unwrap() []error }
	require.ErrorAs(t, err, &joined)
	causes := joined.Unwrap()
	require.Len(t, causes, 5, "every address once: %v", err)
	isIPv6 := func(i int) bool { return strings.Contains(causes[i].Error(), "]:9") }
	for i := range 3 {
		assert.NotEqual(t, isIPv6(i), isIPv6(i+1), "%v", err)
	}
	assert.False(t, isIPv6(4), "what is left of the longer family comes last: %v", err)
}

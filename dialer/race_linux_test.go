package dialer_test

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
)

// Linux answers on all of 127.0.0.0/8, which gives a name several addresses
// without leaving the loopback device.

// blackHole opens a port that swallows what asks for a connection: its queue
// of one is full and nobody accepts. It returns the port.
func blackHole(t testing.TB, host [4]byte, port int) int {
	t.Helper()

	open := func() int {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		t.Cleanup(func() { _ = syscall.Close(fd) })
		return fd
	}

	ln := open()
	require.NoError(t, syscall.Bind(ln, &syscall.SockaddrInet4{Addr: host, Port: port}))
	require.NoError(t, syscall.Listen(ln, 0))
	name, err := syscall.Getsockname(ln)
	require.NoError(t, err)

	// The first fills the queue; that it needs no accept makes it quick.
	for range 4 {
		err := syscall.Connect(open(), name)
		require.Contains(t, []error{nil, syscall.EINPROGRESS}, err)
	}
	return name.(*syscall.SockaddrInet4).Port
}

// deadAndLive opens the same port twice: one that swallows connections on
// 127.0.0.2, one that takes them on 127.0.0.3.
func deadAndLive(t testing.TB) (ln net.Listener, port string) {
	t.Helper()

	for range 10 {
		port = strconv.Itoa(blackHole(t, [4]byte{127, 0, 0, 2}, 0))
		ln, err := net.Listen("tcp", "127.0.0.3:"+port)
		if err == nil {
			return ln, port
		}
	}
	t.Fatal("no port is free on both addresses")
	return nil, ""
}

var deadFirst = names{"pair.test": {"127.0.0.2", "127.0.0.3"}}

func TestDeadFirstAddressDoesNotHideALiveSecondOne(t *testing.T) {
	ln, port := deadAndLive(t)
	serve(t, ln, hold)

	for _, timeout := range []time.Duration{0, 2 * time.Second, -1} {
		d := dialer.New(dialer.Config{Timeout: timeout, Resolver: newResolver(t, deadFirst)})
		conn := mustDial(t, d, "tcp", "pair.test.:"+port)
		assert.Equal(t, "127.0.0.3:"+port, conn.RemoteAddr().String())
	}
}

func TestRefusedAddressesAreNotWaitedFor(t *testing.T) {
	ln, port := deadAndLive(t)
	serve(t, ln, hold)

	// Refusals and the connection at the end come at once, as far as the bubble
	// can tell: only a wait between two starts takes time.
	inBubble(t, func(t *testing.T) {
		refusing := []string{"127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.4", "127.0.1.5", "127.0.1.6", "127.0.1.7", "127.0.1.8"}
		d := dialer.New(dialer.Config{
			Timeout:  -1,
			Resolver: newResolver(t, names{"many.test": append(refusing, "127.0.0.3")}),
		})
		start := time.Now()
		conn := mustDial(t, d, "tcp", "many.test.:"+port)
		assert.Equal(t, "127.0.0.3:"+port, conn.RemoteAddr().String())
		assert.Zero(t, time.Since(start), "a refusal has cost the wait for a dead address")
	})
}

func TestFailedRaceNamesEachAddressWithItsCause(t *testing.T) {
	port := portOf(t, deadPort(t))
	d := dialer.New(dialer.Config{Resolver: newResolver(t, deadFirst)})

	_, err := d.DialContext(t.Context(), "tcp", "pair.test.:"+port)
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	assert.ErrorContains(t, err, "dialer: dial tcp pair.test.:"+port+": dial tcp 127.0.0.2:"+port+": ")
	assert.ErrorContains(t, err, "; dial tcp 127.0.0.3:"+port+": ")
	assert.NotErrorIs(t, err, context.DeadlineExceeded)
}

func TestRaceOfTheDeadEndsAtTheTimeout(t *testing.T) {
	port := blackHole(t, [4]byte{127, 0, 0, 2}, 0)
	blackHole(t, [4]byte{127, 0, 0, 3}, port)
	d := dialer.New(dialer.Config{Timeout: 100 * time.Millisecond, Resolver: newResolver(t, deadFirst)})

	_, err := d.DialContext(t.Context(), "tcp", "pair.test.:"+strconv.Itoa(port))
	assertTimeout(t, err)
}

func TestTimeoutIsSeenBesideARefusal(t *testing.T) {
	port := blackHole(t, [4]byte{127, 0, 0, 3}, 0)

	// The look-up and the refusal have to fit into the timeout as well, which a
	// busy machine may need a longer one for.
	var err error
	for timeout := 100 * time.Millisecond; timeout < time.Minute && !errors.Is(err, syscall.ECONNREFUSED); timeout *= 2 {
		d := dialer.New(dialer.Config{Timeout: timeout, Resolver: newResolver(t, deadFirst)})
		_, err = d.DialContext(t.Context(), "tcp", "pair.test.:"+strconv.Itoa(port))
	}
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	assertTimeout(t, err)
}

func TestCancelledRaceStartsNoFurtherAddress(t *testing.T) {
	port := portOf(t, deadPort(t))
	ctx, cancel := context.WithCancel(t.Context())

	var calls atomic.Int32
	d := dialer.New(dialer.Config{
		Resolver: newResolver(t, deadFirst),
		OnSocket: func(context.Context, syscall.RawConn) error {
			calls.Add(1)
			cancel()
			return nil
		},
	})
	_, err := d.DialContext(ctx, "tcp", "pair.test.:"+port)
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "127.0.0.3:"+port+": not tried")
	assert.EqualValues(t, 1, calls.Load())
}

func TestRaceRunsOnSocketForEveryAddress(t *testing.T) {
	port := portOf(t, deadPort(t))
	var calls atomic.Int32
	d := dialer.New(dialer.Config{
		Resolver: newResolver(t, deadFirst),
		OnSocket: func(context.Context, syscall.RawConn) error {
			calls.Add(1)
			return nil
		},
	})
	_, err := d.DialContext(t.Context(), "tcp", "pair.test.:"+port)
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	assert.EqualValues(t, 2, calls.Load())
}

func TestOnSocketOfConcurrentRacesMayOverlap(t *testing.T) {
	ln, port := deadAndLive(t)
	serve(t, ln, hold)

	d := dialer.New(dialer.Config{Timeout: -1, OnSocket: meet(), Resolver: newResolver(t, deadFirst)})
	dialTwice(t, d, "pair.test.:"+port)
}

func TestOneOnSocketThatPanicsLeavesTheOtherAddresses(t *testing.T) {
	ln, port := deadAndLive(t)
	serve(t, ln, hold)

	var calls atomic.Int32
	for _, end := range []func(){func() { panic("no") }, runtime.Goexit} {
		calls.Store(0)
		d := dialer.New(dialer.Config{
			Resolver: newResolver(t, deadFirst),
			OnSocket: func(context.Context, syscall.RawConn) error {
				if calls.Add(1) == 1 {
					end()
				}
				return nil
			},
		})
		conn := mustDial(t, d, "tcp", "pair.test.:"+port)
		assert.Equal(t, "127.0.0.3:"+port, conn.RemoteAddr().String())
	}
}

func TestLoserThatConnectedTooIsClosed(t *testing.T) {
	live, port := deadAndLive(t)
	serve(t, live, hold)
	other, err := net.Listen("tcp", "127.0.0.4:"+port)
	if err != nil {
		t.Skip("the port is taken:", err)
	}
	serve(t, other, hold)

	var sockets []syscall.RawConn
	d := dialer.New(dialer.Config{
		Timeout:  -1,
		Resolver: newResolver(t, names{"both.test": {"127.0.0.3", "127.0.0.4"}}),
		OnSocket: func(_ context.Context, conn syscall.RawConn) error {
			sockets = append(sockets, conn)
			return nil
		},
	})

	// Neither attempt may report before the other one has connected as well.
	var connected sync.WaitGroup
	connected.Add(2)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		ConnectDone: func(network, _ string, err error) {
			if network == "tcp" {
				assert.NoError(t, err)
				connected.Done()
				connected.Wait()
			}
		},
	})
	conn, err := d.DialContext(ctx, "tcp", "both.test.:"+port)
	require.NoError(t, err)
	defer conn.Close()

	require.Len(t, sockets, 2)
	open := 0
	for _, socket := range sockets {
		if socket.Control(func(uintptr) {}) == nil {
			open++
		}
	}
	assert.Equal(t, 1, open, "the winner's socket is the only one left")
	_, err = conn.Write([]byte("still here"))
	assert.NoError(t, err)
}

// The socket's own deadline passes at the same moment, and often is first.
func TestTimedOutDialOfAnIPAddressMatchesDeadlineExceeded(t *testing.T) {
	const timeout = 50 * time.Millisecond
	hole := "127.0.0.2:" + strconv.Itoa(blackHole(t, [4]byte{127, 0, 0, 2}, 0))
	for name, dial := range map[string]func() (net.Conn, error){
		"by Timeout": func() (net.Conn, error) {
			return dialer.New(dialer.Config{Timeout: timeout}).DialContext(t.Context(), "tcp", hole)
		},
		"by the context": func() (net.Conn, error) {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			return dialer.New(dialer.Config{}).DialContext(ctx, "tcp", hole)
		},
		"over TLS": func() (net.Conn, error) {
			d := dialer.WithTLS(dialer.New(dialer.Config{Timeout: timeout}), nil, timeout)
			return d.DialContext(t.Context(), "tcp", hole)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					_, err := dial()
					assertTimeout(t, err)
					var op *net.OpError
					if assert.ErrorAs(t, err, &op) {
						assert.Equal(t, hole, op.Addr.String())
						assert.True(t, op.Temporary())
					}
				})
			}
			wg.Wait()
		})
	}
}

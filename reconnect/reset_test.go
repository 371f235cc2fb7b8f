package reconnect_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// blocked makes a call in the background, and returns once it waits for the
// kernel, or has ended.
func blocked(t testing.TB, do func() error) <-chan error {
	t.Helper()
	ended, id := make(chan error, 1), make(chan string, 1)
	go func() {
		id <- goroutineID()
		ended <- do()
	}()
	waits := []byte("goroutine " + <-id + " [IO wait")
	stacks := make([]byte, 4<<20)
	for begin := time.Now(); len(ended) == 0; pass(t, time.Millisecond) {
		if bytes.Contains(stacks[:runtime.Stack(stacks, true)], waits) {
			break
		}
		require.Less(t, time.Since(begin), hangGuard, "the call never blocks")
	}
	return ended
}

// pass lets real time go by: it is the time-out of a read.
func pass(t testing.TB, d time.Duration) {
	t.Helper()
	conn, peer := net.Pipe()
	defer func() { _ = peer.Close() }()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(d)))
	_, err := conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, conn.Close())
}

// midway are the calls that a reset finds under way on a socket.
func midway() map[string]func(testing.TB, *reconnect.Client) error {
	return map[string]func(testing.TB, *reconnect.Client) error{
		"Read":             func(_ testing.TB, c *reconnect.Client) error { _, err := readOne(c); return err },
		"Write":            func(_ testing.TB, c *reconnect.Client) error { _, err := writeTooMuch(c); return err },
		"copy from a file": func(t testing.TB, c *reconnect.Client) error { _, err := c.ReadFrom(bigFile(t)); return err },
		"copy to a file":   func(t testing.TB, c *reconnect.Client) error { _, err := c.WriteTo(newFile(t, nil)); return err },
	}
}

func TestCallUnderWayOnASocketCountsFromAReset(t *testing.T) {
	t.Parallel()
	for name, do := range midway() {
		t.Run(name, func(t *testing.T) { resetInTime(t, 0, do) })
	}
}

func TestReloadAfterAResetLeavesTheCallUnderWayOnASocketItsTime(t *testing.T) {
	t.Parallel()
	for name, reload := range map[string]time.Duration{"longer": time.Hour, "shorter": time.Millisecond, "off": -1} {
		// A copy that moves something after all begins anew, with the new bound.
		for _, call := range []string{"Read", "Write"} {
			t.Run(call+", "+name, func(t *testing.T) { resetInTime(t, reload, midway()[call]) })
		}
	}
}

// resetInTime is resetMidway on a machine of any speed.
func resetInTime(t *testing.T, reload time.Duration, do func(testing.TB, *reconnect.Client) error) {
	t.Parallel()
	onStreams(t, func(t *testing.T, network string) {
		for limit := stall; !resetMidway(t, network, limit, reload, do); limit *= 2 {
			t.Logf("too slow to set a deadline within %v", limit)
		}
	})
}

// bigFile has more than the buffers of a socket hold.
func bigFile(t testing.TB) io.Reader {
	f := newFile(t, nil)
	require.NoError(t, f.Truncate(64<<20))
	return f
}

// resetMidway makes a call, takes its bound away until well after its first limit,
// and gives it back by a reset, from when on the call counts. Then it reloads the
// timeouts, unless that is 0. It is false on a machine that was too slow for that.
func resetMidway(t *testing.T, network string, limit, reload time.Duration, do func(testing.TB, *reconnect.Client) error) bool {
	l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.ReadTimeout, cfg.WriteTimeout = limit, limit })
	begin := time.Now()
	call := blocked(t, func() error { return do(t, l.Client) })
	pass(t, limit/4) // some of the early deadlines have come
	require.NoError(t, l.SetDeadline(-1, -1))
	if time.Since(begin) >= limit {
		require.NoError(t, l.Close())
		require.Error(t, receive(t, call))
		return false
	}
	pass(t, limit)
	require.Empty(t, call)
	begin = time.Now()
	require.NoError(t, l.ResetDeadline())
	if reload != 0 {
		rebind(t, l.Client, reload)
	}
	require.ErrorIs(t, receive(t, call), os.ErrDeadlineExceeded)
	require.GreaterOrEqual(t, time.Since(begin), limit)
	require.Equal(t, reconnect.Connected, l.State())
	return true
}

func TestResetShortensTheLimitOfACopyUnderWay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"copy from a file", "copy to a file"} {
		t.Run(name, func(t *testing.T) {
			onStreams(t, func(t *testing.T, network string) {
				l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.ReadTimeout, cfg.WriteTimeout = 2*time.Hour, 2*time.Hour })
				call := blocked(t, func() error { return midway()[name](t, l.Client) })
				rebind(t, l.Client, time.Hour) // has it look at the clock
				pass(t, stall/10)
				rebind(t, l.Client, stall)
				pass(t, stall/10)
				begin := time.Now()
				require.NoError(t, l.ResetDeadline())
				require.ErrorIs(t, receive(t, call), os.ErrDeadlineExceeded)
				require.GreaterOrEqual(t, time.Since(begin), stall)
			})
		})
	}
}

package testutil_test

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/testutil"
)

// isReset knows the error of Windows as well.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.Errno(10054))
}

func TestHangUpEndsConnectionsAndGoesOnAccepting(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		first, second := dial(t, s), dial(t, s)
		require.NoError(t, s.WaitOpen(patience(t), 2))
		s.HangUp()
		assert.Zero(t, s.Open())
		for _, conn := range []net.Conn{first, second} {
			_, err := conn.Read(make([]byte, 1))
			assert.Equal(t, io.EOF, err)
		}
		echoOnce(t, dial(t, s), "x")
	})
}

func TestHangUpIsAnEndOfStreamEvenWithUnreadData(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		s.SetSilent(true)
		conn := dial(t, s)
		_, err := io.WriteString(conn, "nobody reads this")
		require.NoError(t, err)
		require.NoError(t, s.WaitOpen(patience(t), 1))
		s.HangUp()
		_, err = conn.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
	})
}

func TestHangUpKeepsAnswersThatAreUnderWay(t *testing.T) {
	t.Run("after a number of bytes", func(t *testing.T) {
		onEachNetwork(t, func(t *testing.T, network string) {
			s := testutil.NewLineServer(t, network, nil)
			s.SetHangUpAfter(200)
			for range 50 {
				conn := dial(t, s)
				_, err := io.WriteString(conn, strings.Repeat("abc\n", 100))
				require.NoError(t, err)
				got, err := io.ReadAll(conn)
				require.NoError(t, err)
				require.Equal(t, strings.Repeat("abc\n", 50), string(got))
				require.NoError(t, conn.Close())
			}
		})
	})
	t.Run("by the handler", func(t *testing.T) {
		onEachNetwork(t, func(t *testing.T, network string) {
			s := testutil.NewLineServer(t, network, func(line string) (string, bool) { return line, line != "quit" })
			want := strings.Repeat("abc\n", 60) + "quit\n"
			for range 50 {
				conn := dial(t, s)
				_, err := io.WriteString(conn, want+strings.Repeat("more\n", 2000))
				require.NoError(t, err)
				got, err := io.ReadAll(conn)
				require.NoError(t, err)
				require.Equal(t, want, string(got))
				require.NoError(t, conn.Close())
			}
		})
	})
}

func TestResetAbortsConnections(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		conn := dial(t, s)
		echoOnce(t, conn, "x")
		s.Reset()
		_, err := conn.Read(make([]byte, 1))
		require.Error(t, err)
		if network == "tcp" {
			assert.True(t, isReset(err), "%v", err)
		}
		echoOnce(t, dial(t, s), "x")
	})
}

func TestSilentServerAcceptsAndSaysNothing(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		before := dial(t, s)
		require.NoError(t, s.WaitOpen(patience(t), 1))
		s.SetSilent(true)
		conn := dial(t, s)
		_, err := io.WriteString(conn, "anybody there?")
		require.NoError(t, err)
		require.NoError(t, s.WaitOpen(patience(t), 2))
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
		_, err = conn.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Zero(t, s.BytesIn())
		echoOnce(t, before, "still served")

		s.SetSilent(false)
		echoOnce(t, dial(t, s), "x")

		s.Stop()
		assert.Zero(t, s.Open(), "silent ones are ended as well")
	})
}

func TestHangUpAfterLetsExactlyThatManyBytesThrough(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		s.SetHangUpAfter(3)
		conn := dial(t, s)
		_, err := io.WriteString(conn, "abcdefgh")
		require.NoError(t, err)
		got, err := io.ReadAll(conn)
		require.NoError(t, err)
		assert.Equal(t, "abc", string(got))
		assert.EqualValues(t, 3, s.BytesIn())
		assert.EqualValues(t, 3, s.BytesOut())

		s.SetHangUpAfter(-1)
		echoOnce(t, dial(t, s), "abcdefgh")
	})
}

func TestHangUpAfterZeroEndsConnectionsAtOnce(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, network string) {
		s := testutil.NewServer(t, network, func(net.Conn) { t.Error("handler was called") })
		for _, silent := range []bool{false, true} {
			s.SetSilent(silent)
			s.SetHangUpAfter(0)
			_, err := dial(t, s).Read(make([]byte, 1))
			assert.Equal(t, io.EOF, err)
		}
		assert.Equal(t, 2, s.Accepted())
		assert.Zero(t, s.Open())
	})
}

func TestResetAfterAbortsOnceThatManyBytesCame(t *testing.T) {
	s := testutil.NewServer(t, "tcp", func(conn net.Conn) {
		_, _ = io.Copy(io.Discard, conn)
	})
	for _, n := range []int64{3, 0} {
		s.SetResetAfter(n)
		assert.True(t, isReset(talk(s)), "after %d", n)
	}
	assert.EqualValues(t, 3, s.BytesIn())
}

// talk connects, sends three bytes and waits for an answer, until something
// fails: a connection that is reset at once may do so at any of these.
func talk(s *testutil.Server) error {
	conn, err := net.Dial(s.Network(), s.Addr().String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "abc"); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

func TestLowerLimitCountsWhenBothAreSet(t *testing.T) {
	s := testutil.NewServer(t, "tcp", func(conn net.Conn) {
		_, _ = io.Copy(io.Discard, conn)
	})
	for _, c := range []struct {
		hangUp, reset int64
		isReset       bool
	}{
		{hangUp: 2, reset: 3, isReset: false},
		{hangUp: 3, reset: 2, isReset: true},
		{hangUp: 2, reset: 2, isReset: true},
	} {
		s.SetHangUpAfter(c.hangUp)
		s.SetResetAfter(c.reset)
		err := talk(s)
		assert.Equal(t, c.isReset, isReset(err), "%+v: %v", c, err)
	}
}

func TestBlackHoleMakesDialsHang(t *testing.T) {
	testutil.CheckLeaks(t)
	t.Run("dial", func(t *testing.T) {
		remote := testutil.BlackHole(t)
		for range 3 {
			_, err := net.DialTimeout("tcp", remote, 50*time.Millisecond)
			var timeout net.Error
			require.ErrorAs(t, err, &timeout)
			assert.True(t, timeout.Timeout())
		}
	})
}

func TestBlackHoleIsGoneAfterTheTest(t *testing.T) {
	var tb skippableTB
	var remote string
	tb.run(func(tb testutil.TB) { remote = testutil.BlackHole(tb) })
	if remote == "" {
		if runtime.GOOS == "linux" {
			t.Error("it must work here")
		}
		t.Skipf("not on this system: %v", tb.skips)
	}
	_, err := net.DialTimeout("tcp", remote, 10*time.Second)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.False(t, timeout.Timeout())
}

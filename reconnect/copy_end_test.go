package reconnect_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

func TestCopyWithoutAConnectionReadsNothing(t *testing.T) {
	c := newClient(t, &reconnect.Config{Remote: "127.0.0.1:1"})
	r := strings.NewReader("x")
	n, err := c.ReadFrom(r)
	require.ErrorIs(t, err, reconnect.ErrNotConnected)
	require.Zero(t, n)
	require.Equal(t, 1, r.Len())
	n, err = c.WriteTo(io.Discard)
	require.ErrorIs(t, err, reconnect.ErrNotConnected)
	require.Zero(t, n)
}

func TestCopyThatFailsOnTheOtherSideLeavesTheSessionAlone(t *testing.T) {
	broken := errors.New("broken")
	onStreams(t, func(t *testing.T, network string) {
		l := newCopyLink(t, network, nil)
		closed := newFile(t, []byte("x"))
		require.NoError(t, closed.Close())
		folder, err := os.Open(t.TempDir())
		require.NoError(t, err)
		defer func() { _ = folder.Close() }()
		writeOnly, err := os.OpenFile(newFile(t, []byte("x")).Name(), os.O_WRONLY, 0)
		require.NoError(t, err)
		defer func() { _ = writeOnly.Close() }()
		for name, r := range map[string]io.Reader{
			"reader": iotest.ErrReader(broken), "closed": closed, "folder": folder, "write only": writeOnly,
		} {
			_, err := l.ReadFrom(r)
			require.Error(t, err, name)
			l.requireAlive(t)
		}

		readOnly, err := os.Open(newFile(t, nil).Name())
		require.NoError(t, err)
		defer func() { _ = readOnly.Close() }()
		_, pipe := io.Pipe()
		require.NoError(t, pipe.CloseWithError(broken))
		for name, w := range map[string]io.Writer{"closed": closed, "read only": readOnly, "writer": pipe} {
			_, err := l.peer.Write([]byte("lost"))
			require.NoError(t, err)
			_, err = l.WriteTo(w)
			require.Error(t, err, name)
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, name)
			l.requireAlive(t)
		}
	})
}

func TestCopyThatLosesTheConnectionSaysSoAndEndsTheSession(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		l := newCopyLink(t, network, nil)
		f := newFile(t, noise(16<<20))
		go func(peer net.Conn) {
			_, _ = peer.Read(make([]byte, 1))
			_ = peer.Close() // with data unread: a reset
		}(l.peer)
		n, err := io.Copy(l.Client, f)
		require.Error(t, err)
		require.False(t, reconnect.IsFatal(err), "%v", err)
		require.Less(t, n, int64(16<<20))
		require.Equal(t, err, receive(t, l.ended))
		require.Equal(t, n, position(t, f))

		l = newCopyLink(t, network, nil)
		copied := copying(newFile(t, nil), l.Client)
		_, err = l.Write([]byte("unread"))
		require.NoError(t, err)
		if tcp, ok := l.peer.(*net.TCPConn); ok {
			require.NoError(t, tcp.SetLinger(0))
		}
		require.NoError(t, l.peer.Close())
		err = receive(t, copied)
		require.Error(t, err)
		require.False(t, reconnect.IsFatal(err), "%v", err)
		require.Equal(t, err, receive(t, l.ended))
	})
}

func TestCopyIsCutShortByTheStop(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for _, timeout := range []time.Duration{-1, hangGuard} {
			l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.ReadTimeout = timeout })
			f := newFile(t, nil)
			copied := copying(f, l.Client)
			_, err := l.peer.Write([]byte("x"))
			require.NoError(t, err)
			l.Cancel(nil)
			require.ErrorIs(t, receive(t, copied), reconnect.ErrClosed)
		}

		l := newCopyLink(t, network, func(cfg *reconnect.Config) {
			cfg.WriteTimeout = stall
			cfg.OnDisconnect = func(ctx context.Context, _ net.Conn) error {
				<-ctx.Done() // for as long as writes pass
				return nil
			}
		})
		f := newFile(t, noise(16<<20))
		copied := copying(l.Client, f)
		_, err := io.ReadFull(l.peer, make([]byte, 1))
		require.NoError(t, err)
		l.Cancel(nil)
		require.ErrorIs(t, receive(t, copied), reconnect.ErrClosed)
		require.NoError(t, waitDone(t, l.Client))
	})
}

func TestCopyStaysWithTheConnectionItBeganOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		c := connectPipe(t, p, nil)
		sessions := func(n uint64) {
			for st, err := c.WaitStatus(t.Context(), 0); st.Sessions < n; st, err = c.WaitStatus(t.Context(), st.Version) {
				require.NoError(t, err)
			}
			require.NoError(t, c.WaitConnected(t.Context()))
		}
		r := readerFunc(func(b []byte) (int, error) {
			require.NoError(t, c.Reconnect())
			sessions(2)
			return copy(b, "late"), nil
		})
		n, err := c.ReadFrom(r)
		require.ErrorIs(t, err, reconnect.ErrNotConnected)
		require.Zero(t, n)
		require.Equal(t, reconnect.Connected, c.State())
		require.Zero(t, c.Status().BytesWritten)
	})
}

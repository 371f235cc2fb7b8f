package reconnect_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// A copyLink is a client connected over real sockets, and its peer.
type copyLink struct {
	*reconnect.Client
	peer  net.Conn
	ended chan error // gets what ended the session
}

func newCopyLink(t testing.TB, network string, edit func(*reconnect.Config)) *copyLink {
	t.Helper()
	l := benchListen(t, network)
	link := &copyLink{ended: make(chan error, 1)}
	cfg := &reconnect.Config{
		Remote:        l.Addr().String(),
		ReadTimeout:   hangGuard,
		WriteTimeout:  hangGuard,
		WaitReconnect: reconnect.NewDoNotReconnectWaiter(nil),
		OnSession: func(ctx context.Context) error {
			<-ctx.Done()
			link.ended <- context.Cause(ctx)
			return ctx.Err()
		},
	}
	if edit != nil {
		edit(cfg)
	}
	began, onSession := make(chan struct{}, 1), cfg.OnSession
	cfg.OnSession = func(ctx context.Context) error {
		select {
		case began <- struct{}{}:
		default:
		}
		return onSession(ctx)
	}
	link.Client = newClient(t, cfg)
	require.NoError(t, link.Connect())
	receive(t, began) // a connection that fails before that has no session
	peer, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = peer.Close() })
	link.peer = peer
	return link
}

// requireAlive demands that the session goes on: the peer gets what is written.
func (l *copyLink) requireAlive(t testing.TB) {
	t.Helper()
	require.Equal(t, reconnect.Connected, l.State())
	_, err := l.Write([]byte("alive"))
	require.NoError(t, err)
	p := make([]byte, 5)
	_, err = io.ReadFull(l.peer, p)
	require.NoError(t, err)
	require.Equal(t, "alive", string(p))
}

// take reads n bytes of the peer's in the background.
func (l *copyLink) take(n int) <-chan []byte {
	taken := make(chan []byte, 1)
	go func() {
		p := make([]byte, n)
		m, _ := io.ReadFull(l.peer, p)
		taken <- p[:m]
	}()
	return taken
}

// noise is content in which any two parts differ.
func noise(n int) []byte {
	p := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(p)
	return p
}

// newFile makes a file with that content, opened to be read and written.
func newFile(t testing.TB, content []byte) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, content, 0o600))
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// content is what the file has.
func content(t testing.TB, f *os.File) []byte {
	t.Helper()
	p, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	return p
}

func position(t testing.TB, f *os.File) int64 {
	t.Helper()
	at, err := f.Seek(0, io.SeekCurrent)
	require.NoError(t, err)
	return at
}

// copying copies in the background, and gives the error that ends it.
func copying(w io.Writer, r io.Reader) <-chan error {
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(w, r)
		copied <- err
	}()
	return copied
}

// requireSame compares without printing megabytes.
func requireSame(t testing.TB, want, got []byte) {
	t.Helper()
	require.Equal(t, len(want), len(got))
	require.True(t, bytes.Equal(want, got), "the content differs")
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

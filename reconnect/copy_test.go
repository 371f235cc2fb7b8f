package reconnect_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/reconnect"
)

var (
	_ io.ReaderFrom = (*reconnect.Client)(nil)
	_ io.WriterTo   = (*reconnect.Client)(nil)
)

const someMegabytes = 3<<20 + 4711

func TestCopyOfAFileArrivesWholeAndLeavesTheFileAtItsEnd(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for _, timeout := range []time.Duration{-1, hangGuard} {
			l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.WriteTimeout = timeout })
			want := noise(someMegabytes)
			f := newFile(t, want)
			taken := l.take(len(want))
			n, err := io.Copy(l.Client, f)
			require.NoError(t, err)
			require.EqualValues(t, len(want), n)
			requireSame(t, want, receive(t, taken))
			require.EqualValues(t, len(want), position(t, f))
			require.EqualValues(t, len(want), l.Status().BytesWritten)
			l.requireAlive(t)
		}
	})
}

func TestCopyNSendsThatMuchOfAFileFromWhereItStands(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		l := newCopyLink(t, network, nil)
		want := noise(someMegabytes)
		f := newFile(t, want)
		_, err := f.Seek(1000, io.SeekStart)
		require.NoError(t, err)
		taken := l.take(2 << 20)
		n, err := io.CopyN(l, f, 2<<20)
		require.NoError(t, err)
		require.EqualValues(t, 2<<20, n)
		requireSame(t, want[1000:1000+2<<20], receive(t, taken))
		require.EqualValues(t, 1000+2<<20, position(t, f))

		// more than there is
		limited := &io.LimitedReader{R: f, N: 8 << 20}
		rest := want[1000+2<<20:]
		taken = l.take(len(rest))
		n, err = l.ReadFrom(limited)
		require.NoError(t, err)
		require.EqualValues(t, len(rest), n)
		require.EqualValues(t, 8<<20-len(rest), limited.N)
		requireSame(t, rest, receive(t, taken))

		n, err = l.ReadFrom(&io.LimitedReader{R: f, N: -1})
		require.NoError(t, err)
		require.Zero(t, n)
		l.requireAlive(t)
	})
}

func TestCopyToAFileEndsWithTheConnectionAndWithoutAnError(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for _, timeout := range []time.Duration{-1, hangGuard} {
			for _, flag := range []int{0, os.O_APPEND} {
				l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.ReadTimeout = timeout })
				want := noise(someMegabytes)
				f, err := os.OpenFile(filepath.Join(t.TempDir(), "file"), os.O_CREATE|os.O_RDWR|flag, 0o600)
				require.NoError(t, err)
				go func() {
					_, _ = l.peer.Write(want)
					_ = l.peer.Close()
				}()
				n, err := io.Copy(f, l.Client)
				require.NoError(t, err)
				require.EqualValues(t, len(want), n)
				requireSame(t, want, content(t, f))
				require.NoError(t, f.Close())
				require.Equal(t, io.EOF, receive(t, l.ended))
				require.NoError(t, waitDone(t, l.Client))
				require.EqualValues(t, len(want), l.Status().BytesRead)
			}
		}
	})
}

func TestCopyBetweenClientsAndWhatIsNoFileArrivesWhole(t *testing.T) {
	for name, from := range map[string]func(c io.Reader) (io.Writer, func() []byte){
		"buffer": func(io.Reader) (io.Writer, func() []byte) {
			b := new(bytes.Buffer)
			return b, b.Bytes
		},
		"plain writer": func(io.Reader) (io.Writer, func() []byte) {
			b := new(bytes.Buffer)
			return struct{ io.Writer }{b}, b.Bytes
		},
	} {
		t.Run("to "+name, func(t *testing.T) {
			l := newCopyLink(t, "tcp", nil)
			want := noise(someMegabytes)
			go func() {
				_, _ = l.peer.Write(want)
				_ = l.peer.Close()
			}()
			w, got := from(l)
			n, err := io.Copy(w, l.Client)
			require.NoError(t, err)
			require.EqualValues(t, len(want), n)
			requireSame(t, want, got())
		})
	}

	want := noise(someMegabytes)
	for name, r := range map[string]io.Reader{
		"bytes":        bytes.NewReader(want),
		"plain reader": struct{ io.Reader }{bytes.NewReader(want)},
		"limited":      io.LimitReader(bytes.NewReader(append(want, "more"...)), int64(len(want))),
		"halves":       iotest.HalfReader(bytes.NewReader(want)),
	} {
		t.Run("from "+name, func(t *testing.T) {
			l := newCopyLink(t, "unix", nil)
			taken := l.take(len(want))
			n, err := l.ReadFrom(r)
			require.NoError(t, err)
			require.EqualValues(t, len(want), n)
			requireSame(t, want, receive(t, taken))
			l.requireAlive(t)
		})
	}

	t.Run("client to client", func(t *testing.T) {
		a, b := newCopyLink(t, "tcp", nil), newCopyLink(t, "unix", nil)
		go func() {
			_, _ = a.peer.Write(want)
			_ = a.peer.Close()
		}()
		taken := b.take(len(want))
		n, err := io.Copy(b.Client, a.Client)
		require.NoError(t, err)
		require.EqualValues(t, len(want), n)
		requireSame(t, want, receive(t, taken))
		b.requireAlive(t)
	})

	t.Run("bare connection to client and back", func(t *testing.T) {
		a, bare := newCopyLink(t, "tcp", nil), newCopyLink(t, "tcp", nil)
		small := want[:1<<16]
		go func() {
			_, _ = bare.Write(small)
			_ = bare.Client.Close()
		}()
		taken := a.take(len(small))
		n, err := io.Copy(a.Client, bare.peer)
		require.NoError(t, err)
		require.EqualValues(t, len(small), n)
		got := receive(t, taken)
		requireSame(t, small, got)

		go func() {
			_, _ = a.peer.Write(got)
			_ = a.peer.Close()
		}()
		conn, err := net.Dial("tcp", newDrain(t))
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		n, err = io.Copy(conn, a.Client)
		require.NoError(t, err)
		require.EqualValues(t, len(small), n)
	})
}

// newDrain gives an address where one connection is accepted, and read until it
// ends.
func newDrain(t testing.TB) string {
	l := benchListen(t, "tcp")
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err == nil {
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func TestCopyFromOrToNilIsInvalid(t *testing.T) {
	l := newCopyLink(t, "unix", nil)
	_, err := l.ReadFrom(nil)
	require.ErrorIs(t, err, core.ErrInvalid)
	_, err = l.WriteTo(nil)
	require.ErrorIs(t, err, core.ErrInvalid)
	_, err = l.ReadFrom((*os.File)(nil))
	require.ErrorIs(t, err, os.ErrInvalid)
	l.requireAlive(t)
}

// upper has a Read of its own in front of a file's.
type upper struct{ *os.File }

func (u upper) Read(p []byte) (int, error) {
	n, err := u.File.Read(p)
	copy(p, bytes.ToUpper(p[:n]))
	return n, err
}

func TestCopyDoesNotBypassTheReadOfATypeThatEmbedsAFile(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		l := newCopyLink(t, network, nil)
		taken := l.take(5)
		n, err := l.ReadFrom(struct{ io.Reader }{upper{newFile(t, []byte("hello"))}})
		require.NoError(t, err)
		require.EqualValues(t, 5, n)
		require.Equal(t, "HELLO", string(receive(t, taken)))

		taken = l.take(5)
		limited := &io.LimitedReader{R: upper{newFile(t, []byte("hello"))}, N: 10}
		_, err = l.ReadFrom(limited)
		require.NoError(t, err)
		require.EqualValues(t, 5, limited.N)
		require.Equal(t, "HELLO", string(receive(t, taken)))
	})
}

// largestWrite is a connection that notes the largest Write.
type largestWrite struct {
	net.Conn
	size *int
}

func (c largestWrite) Write(p []byte) (int, error) {
	*c.size = max(*c.size, len(p))
	return c.Conn.Write(p)
}

func TestReadFromASourceThatCouldWriteItselfGoesInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		size := 0
		c := connectPipe(t, p, func(cfg *reconnect.Config) {
			cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return largestWrite{conn, &size} })
		})
		n, err := c.ReadFrom(bytes.NewReader(make([]byte, 1<<20)))
		require.NoError(t, err)
		require.EqualValues(t, 1<<20, n)
		require.Equal(t, 32<<10, size)
	})
}

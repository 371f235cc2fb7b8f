package reconnect_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/reconnect"
)

var (
	_ io.ReaderFrom = (*reconnect.Client)(nil)
	_ io.WriterTo   = (*reconnect.Client)(nil)
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
	link.Client = newClient(t, cfg)
	require.NoError(t, link.Connect())
	require.NoError(t, link.WaitConnected(guarded(t)))
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

// onStreams runs a test over TCP and a Unix socket.
func onStreams(t *testing.T, test func(t *testing.T, network string)) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) { test(t, network) })
	}
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

// requireSame compares without printing megabytes.
func requireSame(t testing.TB, want, got []byte) {
	t.Helper()
	require.Equal(t, len(want), len(got))
	require.True(t, bytes.Equal(want, got), "the content differs")
}

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

// stall is short, for it passes in real time.
const stall = 100 * time.Millisecond

func TestCopyOfAFileTimesOutWhenNothingMovesAndGoesOnFromThere(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.WriteTimeout = stall })
		want := noise(16 << 20) // more than the sockets' buffers hold
		f := newFile(t, want)
		begin := time.Now()
		n, err := io.Copy(l.Client, f)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.GreaterOrEqual(t, time.Since(begin), stall)
		require.Equal(t, reconnect.Connected, l.State())
		require.Positive(t, n)
		require.Less(t, n, int64(len(want)))
		require.Equal(t, n, position(t, f))
		require.EqualValues(t, n, l.Status().BytesWritten)

		l.Config().WriteTimeout = hangGuard
		require.NoError(t, l.Reload())
		taken := l.take(len(want))
		m, err := io.Copy(l.Client, f)
		require.NoError(t, err)
		require.EqualValues(t, len(want), n+m)
		requireSame(t, want, receive(t, taken))
		l.requireAlive(t)
	})
}

func TestCopyToAFileTimesOutWhenNothingArrivesAndGoesOnFromThere(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.ReadTimeout = stall })
		want := noise(100_000)
		f := newFile(t, nil)
		_, err := l.peer.Write(want[:50_000])
		require.NoError(t, err)
		begin := time.Now()
		n, err := io.Copy(f, l.Client)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.GreaterOrEqual(t, time.Since(begin), stall)
		var op *net.OpError
		require.ErrorAs(t, err, &op)
		require.Equal(t, l.RemoteAddr(), op.Addr)
		require.EqualValues(t, 50_000, n)
		l.requireAlive(t)

		_, err = l.peer.Write(want[50_000:])
		require.NoError(t, err)
		require.NoError(t, l.peer.Close())
		m, err := io.Copy(f, l.Client)
		require.NoError(t, err)
		require.EqualValues(t, 50_000, m)
		requireSame(t, want, content(t, f))
	})
}

// paced does something again and again, in steps that are short beside the
// time-out, for as long as two time-outs. A machine that
// stands still for longer than one would fail the tests.
const pace = time.Second

func paced(step func() error) error {
	ticker := time.NewTicker(pace / 100)
	defer ticker.Stop()
	for begin := time.Now(); time.Since(begin) < 2*pace; <-ticker.C {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func TestCopyOfAFileOverASlowConnectionOutlivesTheTimeoutAndLetsOthersWrite(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			l := newCopyLink(t, network, func(cfg *reconnect.Config) {
				cfg.WriteTimeout = pace
				cfg.OnConnect = smallBuffers
			})
			want := noise(8 << 20)
			f := newFile(t, want)
			slow := make(chan error, 1)
			got := new(bytes.Buffer)
			begun := make(chan struct{})
			go func() {
				buf := make([]byte, 4<<10) // a turn of the copy takes longer than the time-out
				slow <- paced(func() error {
					n, err := l.peer.Read(buf)
					if got.Len() == 0 {
						close(begun)
					}
					got.Write(buf[:n])
					return err
				})
				_, _ = io.Copy(got, l.peer)
				slow <- nil
			}()
			wrote := make(chan error, 1)
			go func() {
				<-begun
				_, err := l.Write([]byte("#"))
				wrote <- err
			}()
			begin := time.Now()
			n, err := io.Copy(l.Client, f)
			require.NoError(t, err)
			require.EqualValues(t, len(want), n)
			require.Greater(t, time.Since(begin), pace*3/2, "not slow enough to show anything")
			require.NoError(t, receive(t, slow))
			require.NoError(t, receive(t, wrote))
			require.NoError(t, l.Close())
			require.NoError(t, receive(t, slow))
			require.Equal(t, len(want)+1, got.Len())
			// It got in somewhere, and all else is in order.
			all, at := got.Bytes(), 0
			for at < len(want) && all[at] == want[at] {
				at++
			}
			require.Less(t, at, len(want))
			require.Equal(t, byte('#'), all[at])
			requireSame(t, want[at:], all[at+1:])
		})
	}
}

// smallBuffers makes the sender of a file feel how fast the peer is.
func smallBuffers(_ context.Context, conn net.Conn) error {
	return conn.(interface{ SetWriteBuffer(int) error }).SetWriteBuffer(64 << 10)
}

func TestCopyToAFileOverASlowConnectionOutlivesTheTimeout(t *testing.T) {
	t.Parallel()
	l := newCopyLink(t, "unix", func(cfg *reconnect.Config) { cfg.ReadTimeout = pace })
	f := newFile(t, nil)
	sent := new(bytes.Buffer)
	slow := make(chan error, 1)
	go func() {
		slow <- paced(func() error {
			p := noise(100)
			sent.Write(p)
			_, err := l.peer.Write(p)
			return err
		})
		_ = l.peer.Close()
	}()
	begin := time.Now()
	n, err := io.Copy(f, l.Client)
	require.NoError(t, err)
	require.Greater(t, time.Since(begin), pace*3/2)
	require.NoError(t, receive(t, slow))
	require.EqualValues(t, sent.Len(), n)
	requireSame(t, sent.Bytes(), content(t, f))
}

func TestCopyObeysADeadlineOfTheUsersHoweverItProgresses(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.WriteTimeout = -1 })
		f := newFile(t, noise(1<<20))
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			_, _ = io.Copy(io.Discard, l.peer)
		}()
		begin := time.Now() // before the deadline counts, or less may be left of it
		require.NoError(t, l.SetWriteDeadline(stall))
		var err error
		for err == nil {
			_, err = f.Seek(0, io.SeekStart)
			require.NoError(t, err)
			_, err = io.Copy(l.Client, f)
		}
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.GreaterOrEqual(t, time.Since(begin), stall)
		require.Equal(t, reconnect.Connected, l.State())
		require.NoError(t, l.Close())
		receive(t, drained)
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
		copied := make(chan error, 1)
		go func() {
			_, err := io.Copy(newFile(t, nil), l.Client)
			copied <- err
		}()
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
			copied := make(chan error, 1)
			f := newFile(t, nil)
			go func() {
				_, err := io.Copy(f, l.Client)
				copied <- err
			}()
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
		copied := make(chan error, 1)
		f := newFile(t, noise(16<<20))
		go func() {
			_, err := io.Copy(l.Client, f)
			copied <- err
		}()
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

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestCopyDoesNotCountTheTimeThatTheSourceTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		c := connectPipe(t, p, nil)
		r := readerFunc(func(b []byte) (int, error) {
			time.Sleep(time.Hour)
			if c.Status().BytesWritten >= 3 {
				return 0, io.EOF
			}
			return copy(b, "x"), nil
		})
		n, err := c.ReadFrom(r)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
	})
}

func TestCopyThroughABufferTimesOutWithTheReadOrWriteThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		c := connectPipe(t, p, nil)
		for name, copied := range map[string]func() (int64, error){
			"ReadFrom": func() (int64, error) { return c.ReadFrom(newFile(t, []byte("x"))) },
			"WriteTo":  func() (int64, error) { return c.WriteTo(newFile(t, nil)) },
		} {
			begin := time.Now()
			_, err := copied()
			took := time.Since(begin)
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded, name)
			assert.GreaterOrEqual(t, took, bound, name)
			assert.LessOrEqual(t, took, bound+bound/16, name)
		}
	})
}

func TestCopyGoesOnWhenTheTimeoutsChangeMeanwhile(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for _, timeouts := range [][2]time.Duration{{-1, hangGuard}, {hangGuard, -1}, {hangGuard, hangGuard / 2}} {
			l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.WriteTimeout = timeouts[0] })
			want := noise(16 << 20)
			f := newFile(t, want)
			copied := make(chan error, 1)
			go func() {
				_, err := io.Copy(l.Client, f)
				copied <- err
			}()
			head := make([]byte, 100)
			_, err := io.ReadFull(l.peer, head)
			require.NoError(t, err)
			l.Config().WriteTimeout = timeouts[1]
			require.NoError(t, l.Reload())
			require.NoError(t, l.ResetWriteDeadline())
			rest := receive(t, l.take(len(want)-len(head)))
			require.NoError(t, receive(t, copied))
			requireSame(t, want, append(head, rest...))
			l.requireAlive(t)
		}
	})
}

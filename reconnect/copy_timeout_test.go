package reconnect_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

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

func TestPartOfAFileTimesOutWhenNothingMovesAndCountsWhatDid(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.WriteTimeout = stall })
		part := &io.LimitedReader{R: newFile(t, tooMuch), N: int64(len(tooMuch)) - 1}
		n, err := io.Copy(l.Client, part)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, n, position(t, part.R.(*os.File)))
		require.Equal(t, int64(len(tooMuch))-1-n, part.N)
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

// paced does something again and again, in steps that are short beside the
// time-out, for as long as two time-outs.
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

// outlives fails if a copy that goes on at a pace times out again and again. Once
// it may: the machine may have stood still.
func outlives(t *testing.T, slowCopy func() error) {
	t.Helper()
	const attempts = 10
	for range attempts {
		err := slowCopy()
		if err == nil {
			return
		}
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	}
	t.Errorf("timed out %d times", attempts)
}

func TestCopyOfAFileOverASlowConnectionOutlivesTheTimeoutAndLetsOthersWrite(t *testing.T) {
	t.Parallel()
	want := noise(8 << 20)
	onStreams(t, func(t *testing.T, network string) {
		t.Parallel()
		outlives(t, func() error { return sendSlowly(t, network, want) })
	})
}

// sendSlowly copies a file to a peer that takes it slowly, while another writes.
// It gives the error of a time-out.
func sendSlowly(t *testing.T, network string, want []byte) error {
	l := newCopyLink(t, network, func(cfg *reconnect.Config) {
		cfg.WriteTimeout = pace
		cfg.OnConnect = smallBuffers
	})
	f := newFile(t, want)
	got := new(bytes.Buffer)
	begun, taken := make(chan struct{}), make(chan error, 1)
	go func() {
		buf := make([]byte, 4<<10) // a turn of the copy takes longer than the time-out
		err := paced(func() error {
			n, err := l.peer.Read(buf)
			if got.Len() == 0 {
				close(begun)
			}
			got.Write(buf[:n])
			return err
		})
		_, _ = io.Copy(got, l.peer)
		taken <- err
	}()
	wrote := make(chan error, 1)
	go func() {
		<-begun
		_, err := l.Write([]byte("#"))
		wrote <- err
	}()
	begin := time.Now()
	n, err := io.Copy(l.Client, f)
	took := time.Since(begin)
	if err == nil {
		err = receive(t, wrote)
	}
	require.NoError(t, l.Close()) // the end of both goroutines
	slow := receive(t, taken)
	if err != nil {
		return err
	}
	require.NoError(t, slow)
	require.Greater(t, took, pace*3/2, "not slow enough to show anything")
	require.EqualValues(t, len(want), n)
	require.Equal(t, len(want)+1, got.Len())
	// It got in somewhere, and all else is in order.
	all, at := got.Bytes(), 0
	for at < len(want) && all[at] == want[at] {
		at++
	}
	require.Less(t, at, len(want))
	require.Equal(t, byte('#'), all[at])
	requireSame(t, want[at:], all[at+1:])
	return nil
}

// smallBuffers makes the sender of a file feel how fast the peer is.
func smallBuffers(_ context.Context, conn net.Conn) error {
	return conn.(interface{ SetWriteBuffer(int) error }).SetWriteBuffer(64 << 10)
}

func TestCopyToAFileOverASlowConnectionOutlivesTheTimeout(t *testing.T) {
	t.Parallel()
	outlives(t, func() error { return receiveSlowly(t) })
}

// receiveSlowly copies to a file what a peer sends slowly. It gives the error of a
// time-out.
func receiveSlowly(t *testing.T) error {
	l := newCopyLink(t, "unix", func(cfg *reconnect.Config) { cfg.ReadTimeout = pace })
	f := newFile(t, nil)
	sent := new(bytes.Buffer)
	slow := make(chan error, 1)
	go func() {
		err := paced(func() error {
			p := noise(100)
			sent.Write(p)
			_, err := l.peer.Write(p)
			return err
		})
		_ = l.peer.Close()
		slow <- err
	}()
	begin := time.Now()
	n, err := io.Copy(f, l.Client)
	took := time.Since(begin)
	if err != nil {
		require.NoError(t, l.Close()) // the peer has nobody left to send to
		_ = receive(t, slow)
		return err
	}
	require.NoError(t, receive(t, slow))
	require.Greater(t, took, pace*3/2)
	require.EqualValues(t, sent.Len(), n)
	requireSame(t, sent.Bytes(), content(t, f))
	return nil
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

func TestCopyGoesOnWhenTheTimeoutsChangeMeanwhile(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for _, timeouts := range [][2]time.Duration{{-1, hangGuard}, {hangGuard, -1}, {hangGuard, hangGuard / 2}} {
			l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.WriteTimeout = timeouts[0] })
			want := noise(16 << 20)
			f := newFile(t, want)
			copied := copying(l.Client, f)
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

package reconnect_test

import (
	"crypto/tls"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// The tests of this file are about calls that several of Reload, the setters and
// the resets find under way, one after the other.

// inBackground makes a call that has begun to block.
func inBackground(c *reconnect.Client, do call) <-chan error {
	ended := make(chan error, 1)
	go func() { _, err := do(c); ended <- err }()
	synctest.Wait()
	return ended
}

// requireTimesOut waits for the time-out of a call that counts from now.
func requireTimesOut(t testing.TB, c *reconnect.Client, ended <-chan error) {
	t.Helper()
	begin := time.Now()
	select {
	case err := <-ended:
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.GreaterOrEqual(t, time.Since(begin), bound, "early")
		require.LessOrEqual(t, time.Since(begin), bound+bound/16, "late")
	case <-time.After(1000 * time.Hour):
		require.NoError(t, c.Close())
		t.Error("the call has lost its limit")
	}
}

// tlsPipe connects to a peer over TLS that reads nothing until told to. It tells the
// deadline for writes on the connection.
func tlsPipe(t *testing.T, edit func(*reconnect.Config)) (c *reconnect.Client, armed func() time.Time, read func()) {
	cert, pool := certificate(t, "server.test", time.Hour)
	proceed, quit := make(chan struct{}), make(chan struct{})
	p := newPipe(t, func(conn net.Conn) {
		s := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
		_ = s.Handshake()
		select {
		case <-proceed:
			_, _ = s.Read(make([]byte, 10))
			<-quit
		case <-quit:
		}
	})
	t.Cleanup(func() { close(quit) }) // before that of p, which waits for the handler
	c = connectPipe(t, p, func(cfg *reconnect.Config) {
		edit(cfg)
		cfg.TLSConfig = &tls.Config{RootCAs: pool}
	})
	return c, func() time.Time { return fakeConn(t, p).WriteDeadline() }, func() { proceed <- struct{}{} }
}

func TestTLSWriteIsBoundedAfterAReloadUnderAFixedDeadlineAndAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, _ := tlsPipe(t, unbounded)
		require.NoError(t, c.SetDeadline(time.Hour, time.Hour))
		rebind(t, c, bound)
		require.NoError(t, c.ResetDeadline())
		requireTimesOut(t, c, inBackground(c, writeOne))
	})
}

func TestResetDuringATLSWriteLeavesNoDeadlineForAReadThatHasToWrite(t *testing.T) {
	for name, tc := range map[string]struct{ off, fixed bool }{
		"bounded": {false, false}, "fixed": {false, true}, "off": {true, false},
	} {
		bubble(t, name, func(t *testing.T) {
			c, armed, read := tlsPipe(t, func(cfg *reconnect.Config) {
				if tc.off {
					unbounded(cfg)
				}
			})
			if tc.fixed {
				require.NoError(t, c.SetDeadline(time.Hour, time.Hour))
			}
			ended := inBackground(c, writeOne)
			rebind(t, c, bound)
			require.NoError(t, c.ResetDeadline())
			require.NotZero(t, armed())
			read()
			require.NoError(t, receive(t, ended))
			require.Zero(t, armed())
		})
	}
}

func TestReadBegunWithTimeoutsOffKeepsTheLimitOfAResetOverAReload(t *testing.T) {
	for name, reloads := range reloads(bound) {
		bubble(t, name, func(t *testing.T) {
			c := connectPipe(t, newPipe(t, nil), unbounded)
			ended := inBackground(c, readOne)
			rebind(t, c, bound)
			require.NoError(t, c.ResetDeadline())
			for _, d := range reloads {
				rebind(t, c, d)
			}
			requireTimesOut(t, c, ended)
		})
	}
}

func TestReadBegunWithTimeoutsOffKeepsTheLimitOfAResetBesideALaterRead(t *testing.T) {
	for name, later := range map[string]time.Duration{"longer": time.Hour, "off": -1} {
		bubble(t, name, func(t *testing.T) {
			c := connectPipe(t, newPipe(t, nil), unbounded)
			ended := inBackground(c, readOne)
			rebind(t, c, bound)
			require.NoError(t, c.ResetDeadline())
			rebind(t, c, later)
			second := inBackground(c, readOne)
			requireTimesOut(t, c, ended)
			require.NoError(t, c.Close())
			require.Error(t, receive(t, second))
		})
	}
}

func TestCallThatWaitsForItsTurnIsNotLateAfterAReloadToALongerBound(t *testing.T) {
	eachCall(t, func(t *testing.T, do call) {
		c := connectPipe(t, newPipe(t, nil), nil)
		first := inBackground(c, do)
		time.Sleep(bound / 20)
		second := make(chan struct{})
		go func() {
			defer close(second)
			assertTimesOut(t, c, do, bound)
		}()
		time.Sleep(bound / 2)
		rebind(t, c, time.Hour)
		receive(t, second)
		require.Error(t, receive(t, first))
	})
}

func TestWritesAreBoundedByAReloadAfterAResetThatFoundSomeUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		proceed, quit := make(chan struct{}), make(chan struct{})
		defer close(quit)
		c := connectPipe(t, newPipe(t, func(conn net.Conn) {
			<-proceed
			for range 2 {
				_, _ = conn.Read(make([]byte, 1))
			}
			<-quit
		}), unbounded)
		first, second := inBackground(c, writeOne), inBackground(c, writeOne)
		require.NoError(t, c.ResetDeadline())
		close(proceed)
		require.NoError(t, receive(t, first))
		require.NoError(t, receive(t, second))
		rebind(t, c, bound)
		requireTimesOut(t, c, inBackground(c, writeOne))
	})
}

func TestDeadlineThatIsSetStaysOverAReload(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		l := newCopyLink(t, network, unbounded)
		begin := time.Now()
		require.NoError(t, l.SetReadDeadline(3*stall))
		rebind(t, l.Client, time.Hour)
		_, err := readOne(l.Client)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.GreaterOrEqual(t, time.Since(begin), 3*stall)
	})
}

func TestReadAfterOneThatAReloadToOffHasFoundUnderWayIsNotBounded(t *testing.T) {
	t.Parallel()
	onStreams(t, func(t *testing.T, network string) {
		l := newCopyLink(t, network, func(cfg *reconnect.Config) { cfg.ReadTimeout = 10 * stall })
		read := func() error { _, err := readOne(l.Client); return err }
		first := blocked(t, read)
		rebind(t, l.Client, -1)
		_, err := l.peer.Write([]byte("x"))
		require.NoError(t, err)
		require.NoError(t, receive(t, first))
		second := blocked(t, read)
		pass(t, 11*stall)
		require.Empty(t, second)
		_, err = l.peer.Write([]byte("x"))
		require.NoError(t, err)
		require.NoError(t, receive(t, second))
	})
}

func TestCopyBegunWithTimeoutsOffLeavesTheLimitOfAReadAlone(t *testing.T) {
	t.Parallel()
	onStreams(t, func(t *testing.T, network string) {
		l := newCopyLink(t, network, unbounded)
		copied := blocked(t, func() error { _, err := l.WriteTo(newFile(t, nil)); return err })
		rebind(t, l.Client, 2*stall)
		begin := time.Now()
		read := make(chan error, 1)
		go func() { _, err := readOne(l.Client); read <- err }()
		pass(t, stall/5)
		rebind(t, l.Client, -1)
		require.ErrorIs(t, receive(t, read), os.ErrDeadlineExceeded)
		assert.GreaterOrEqual(t, time.Since(begin), 2*stall)
		require.NoError(t, l.Close())
		require.Error(t, receive(t, copied))
	})
}

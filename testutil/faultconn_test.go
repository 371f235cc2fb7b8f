package testutil_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/testutil"
)

var errFault = errors.New("fault")

func faultPair(t *testing.T) (*testutil.FaultConn, net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return testutil.NewFaultConn(near), far
}

func TestFaultConnFailsReadsUntilTheFaultIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, far := faultPair(t)
		conn.FailRead(errFault)
		n, err := conn.Read(make([]byte, 1))
		assert.Zero(t, n)
		assert.Equal(t, errFault, err)

		conn.FailRead(nil)
		go io.WriteString(far, "x")
		n, err = conn.Read(make([]byte, 1))
		assert.Equal(t, 1, n)
		assert.NoError(t, err)
	})
}

func TestFaultConnFailsWritesUntilTheFaultIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, far := faultPair(t)
		conn.FailWrite(errFault)
		n, err := conn.Write([]byte("x"))
		assert.Zero(t, n)
		assert.Equal(t, errFault, err)

		conn.FailWrite(nil)
		go io.ReadFull(far, make([]byte, 1))
		n, err = conn.Write([]byte("x"))
		assert.Equal(t, 1, n)
		assert.NoError(t, err)
	})
}

func TestFaultConnCutsShortWhatIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _ := faultPair(t)
		results := make(chan error)
		go func() {
			_, err := conn.Read(make([]byte, 1))
			results <- err
		}()
		synctest.Wait()
		conn.FailRead(errFault)
		assert.Equal(t, errFault, <-results)

		go func() {
			_, err := conn.Write([]byte("x"))
			results <- err
		}()
		synctest.Wait()
		conn.FailWrite(errFault)
		assert.Equal(t, errFault, <-results)
	})
}

func TestFaultConnCutsShortWhatIsBlockedWhenTheFaultIsOverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _ := faultPair(t)
		result := make(chan error, 1)
		go func() {
			_, err := conn.Read(make([]byte, 1))
			result <- err
		}()
		synctest.Wait()
		conn.FailRead(errFault)
		conn.FailRead(nil)
		assert.Equal(t, errFault, <-result)
	})
}

// readTold tells of each Read.
type readTold struct {
	net.Conn
	began chan<- struct{}
}

func (c readTold) Read(p []byte) (int, error) {
	c.began <- struct{}{}
	return c.Conn.Read(p)
}

func TestFaultConnCutsShortWhatIsBlockedOnASocketWhenTheFaultIsOverAtOnce(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		s.SetSilent(true)
		for range 20 {
			began, result := make(chan struct{}, 2), make(chan error, 2)
			conn := testutil.NewFaultConn(readTold{dial(t, s), began})
			read := func() {
				_, err := conn.Read(make([]byte, 1))
				result <- err
			}
			go read()
			<-began
			conn.FailRead(errFault)
			conn.FailRead(nil)
			go read() // waits for the other, and for no fault
			assert.Equal(t, errFault, <-result)
			require.NoError(t, conn.SetReadDeadline(time.Unix(2, 0)))
			assert.ErrorIs(t, <-result, os.ErrDeadlineExceeded)
		}
	})
}

func TestFaultConnCutsShortWhatIsBlockedOnARealSocket(t *testing.T) {
	s := testutil.NewEchoServer(t, "tcp")
	conn := testutil.NewFaultConn(dial(t, s))
	go conn.FailRead(errFault)
	_, err := conn.Read(make([]byte, 1))
	assert.Equal(t, errFault, err)
}

func TestFaultConnPassesOnErrorsOfItsOwn(t *testing.T) {
	conn, far := faultPair(t)
	require.NoError(t, far.Close())
	_, err := conn.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	_, err = conn.Write([]byte("x"))
	assert.Equal(t, io.ErrClosedPipe, err)
	require.NoError(t, conn.Close())
	assert.Equal(t, io.ErrClosedPipe, conn.SetDeadline(time.Time{}))
}

func TestFaultConnCountsDeadlinesAndCloses(t *testing.T) {
	conn, _ := faultPair(t)
	at := time.Now().Add(time.Hour)
	require.NoError(t, conn.SetReadDeadline(at))
	require.NoError(t, conn.SetReadDeadline(at.Add(1)))
	require.NoError(t, conn.SetWriteDeadline(at.Add(2)))
	assert.Equal(t, 2, conn.ReadDeadlines())
	assert.Equal(t, 1, conn.WriteDeadlines())
	assert.Equal(t, at.Add(1), conn.ReadDeadline())
	assert.Equal(t, at.Add(2), conn.WriteDeadline())

	require.NoError(t, conn.SetDeadline(time.Time{}))
	assert.Equal(t, 3, conn.ReadDeadlines())
	assert.Equal(t, 2, conn.WriteDeadlines())
	assert.True(t, conn.ReadDeadline().IsZero())

	assert.Zero(t, conn.Closes())
	_, _ = conn.Close(), conn.Close()
	assert.Equal(t, 2, conn.Closes())

	require.Error(t, conn.SetDeadline(at))
	assert.Equal(t, 4, conn.ReadDeadlines())
	assert.Equal(t, 3, conn.WriteDeadlines())
}

func TestFaultConnHoldsACloseUntilItIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, far := faultPair(t)
		release := make(chan struct{})
		conn.HoldClose(release)
		closed := make(chan error, 1)
		go func() { closed <- conn.Close() }()
		synctest.Wait()
		assert.Empty(t, closed)
		assert.Equal(t, 1, conn.Closes())
		require.NoError(t, far.SetReadDeadline(time.Now().Add(time.Second)))
		_, err := far.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded, "still open")

		close(release)
		assert.NoError(t, <-closed)
		_, err = far.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
		conn.HoldClose(nil)
		assert.NoError(t, conn.Close())
	})
}

func TestFaultConnKeepsTheDeadlineSetDuringAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _ := faultPair(t)
		conn.FailRead(errFault)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Second)))
		_, err := conn.Read(make([]byte, 1))
		assert.Equal(t, errFault, err)

		conn.FailRead(nil)
		start := time.Now()
		_, err = conn.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// withoutDeadlines is a connection whose read deadline can't be set.
type withoutDeadlines struct{ net.Conn }

func (withoutDeadlines) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

func TestFaultConnThatCutsNothingShortIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := testutil.NewFaultConn(withoutDeadlines{near})
		done := make(chan error)
		go func() {
			_, err := c.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait()
		c.FailRead(errors.New("boom"))
		c.FailRead(nil)
		require.NoError(t, far.Close())
		assert.Equal(t, io.EOF, <-done)
	})
}

func TestFaultConnPassesOnThatThereAreNoDeadlines(t *testing.T) {
	near, far := net.Pipe()
	began, ended := make(chan struct{}, 1), make(chan struct{})
	conn := testutil.NewFaultConn(readTold{withoutDeadlines{near}, began})
	go func() {
		defer close(ended)
		_, _ = conn.Read(make([]byte, 1))
	}()
	<-began
	conn.FailRead(errFault)
	conn.FailRead(nil)
	assert.Equal(t, os.ErrNoDeadline, conn.SetReadDeadline(time.Now()))
	require.NoError(t, far.Close())
	<-ended
}

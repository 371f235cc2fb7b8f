package testutil_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/testutil"
)

func pipeDial(t *testing.T, p *testutil.PipeListener) *testutil.FaultConn {
	t.Helper()
	conn, err := p.DialContext(t.Context(), "tcp", "example.org:80")
	require.NoError(t, err)
	return conn.(*testutil.FaultConn)
}

func TestPipeServesConnectionsInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testutil.Pipe(testutil.Echo)
		start := time.Now()
		conn := pipeDial(t, p)
		echoOnce(t, conn, "hello")
		assert.Equal(t, "example.org:80", conn.RemoteAddr().String())
		assert.Equal(t, "tcp", conn.RemoteAddr().Network())
		assert.Equal(t, "pipe", conn.LocalAddr().String())
		assert.Equal(t, 1, p.Open())
		assert.Equal(t, 1, p.Dials())
		assert.Equal(t, []*testutil.FaultConn{conn}, p.Conns())
		require.NoError(t, conn.Close())
		assert.Zero(t, p.Open())
		require.NoError(t, p.Close())
		assert.Equal(t, start, time.Now(), "none of it takes time")
	})
}

func TestPipeMayBeUsedInOneBubbleAfterAnotherAndOutside(t *testing.T) {
	p := testutil.Pipe(testutil.Echo)
	talk := func(t *testing.T) {
		conn, err := p.DialContext(t.Context(), "tcp", "h:1")
		require.NoError(t, err)
		_, err = conn.Write([]byte("x"))
		require.NoError(t, err)
		_, err = conn.Read(make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	synctest.Test(t, talk)
	synctest.Test(t, talk)
	talk(t)
	synctest.Test(t, talk)
	require.NoError(t, p.Close())
}

func TestPipeHandlerFromOutsideLeavesWhoWaitsInABubbleAlone(t *testing.T) {
	end := make(chan struct{})
	p := testutil.Pipe(func(net.Conn) { <-end })
	conn, err := p.DialContext(t.Context(), "tcp", "h:1")
	require.NoError(t, err)
	require.NoError(t, conn.Close())

	waiting, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		<-waiting
		close(end)
		for stacks := make([]byte, 1<<20); bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("(*PipeListener).serve")); {
			runtime.Gosched()
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		p.Hang(true)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait()
			close(waiting)
			<-ended
			cancel()
		}()
		_, err := p.DialContext(ctx, "tcp", "h:1")
		assert.ErrorIs(t, err, context.Canceled)
	})
	require.NoError(t, p.Close())
}

func TestPipeRefusesDialsWithTheErrorGiven(t *testing.T) {
	p := testutil.Pipe(testutil.Echo)
	cause := errors.New("no")
	p.Refuse(cause)
	_, err := p.DialContext(t.Context(), "tcp", "a:1")
	assert.Equal(t, cause, err)

	p.Refuse(testutil.ConnRefused("tcp", "a:1"))
	_, err = p.DialContext(t.Context(), "tcp", "a:1")
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	assert.Equal(t, "dial", op.Op)

	p.Refuse(nil)
	echoOnce(t, pipeDial(t, p), "x")
	assert.Equal(t, 3, p.Dials())
	require.NoError(t, p.Close())

	_, err = p.DialContext(t.Context(), "tcp", "a:1")
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestPipeHangsUntilTheContextEndsOrItIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testutil.Pipe(testutil.Echo)
		p.Hang(true)

		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := p.DialContext(ctx, "tcp", "a:1")
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		var timeout net.Error
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
		assert.Equal(t, time.Minute, time.Since(start))
		_, err = p.DialContext(ctx, "tcp", "a:1")
		assert.ErrorIs(t, err, context.DeadlineExceeded, "it had ended before")

		dialled := make(chan error)
		for _, release := range []struct {
			how  func()
			want error
		}{
			{func() { p.Refuse(io.EOF) }, io.EOF},
			{func() { p.Refuse(nil); p.Hang(false) }, nil},
			{func() { p.Hang(true); assert.NoError(t, p.Close()) }, syscall.ECONNREFUSED},
		} {
			p.Hang(true)
			go func() {
				_, err := p.DialContext(t.Context(), "tcp", "a:1")
				dialled <- err
			}()
			synctest.Wait()
			release.how()
			assert.ErrorIs(t, <-dialled, release.want)
			p.Refuse(nil)
		}
		assert.Equal(t, 5, p.Dials())
	})
}

func TestPipeHangUpEndsConnectionsAndGoesOnAccepting(t *testing.T) {
	p := testutil.Pipe(testutil.Echo)
	conn := pipeDial(t, p)
	p.HangUp()
	assert.Zero(t, p.Open())
	_, err := conn.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	_, err = conn.Write([]byte("x"))
	assert.Equal(t, io.ErrClosedPipe, err)
	echoOnce(t, pipeDial(t, p), "x")
	require.NoError(t, p.Close())
}

func TestPipeWithoutAHandlerSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testutil.Pipe(nil)
		conn := pipeDial(t, p)
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Hour)))
		_, err := conn.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		_, err = conn.Write([]byte("x"))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, p.Close())
		_, err = conn.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
	})
}

func TestPipeWaitsForDialsAndConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testutil.Pipe(testutil.Echo)
		go func() {
			for range 2 {
				time.Sleep(time.Second)
				_, _ = p.DialContext(t.Context(), "tcp", "a:1")
			}
		}()
		start := time.Now()
		require.NoError(t, p.WaitDials(t.Context(), 1))
		assert.Equal(t, time.Second, time.Since(start))
		require.NoError(t, p.WaitOpen(t.Context(), 2))
		assert.Equal(t, 2*time.Second, time.Since(start))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := p.WaitDials(ctx, 3)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "waiting for 3 dials, have 2")
		err = p.WaitOpen(ctx, 3)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "waiting for 3 open connections, have 2")
		require.NoError(t, p.Close())
	})
}

func TestPipeCloseFailsADialThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testutil.Pipe(nil)
		p.Hang(true)
		failed := make(chan error, 1)
		go func() {
			_, err := p.DialContext(t.Context(), "tcp", "example.test:1")
			failed <- err
		}()
		synctest.Wait()
		require.NoError(t, p.Close())
		synctest.Wait()
		select {
		case err := <-failed:
			assert.ErrorIs(t, err, syscall.ECONNREFUSED)
		default:
			t.Error("the dial hangs on")
		}
	})
}

func TestPipeCloseJoinsHandlers(t *testing.T) {
	joined := false // not atomic: the race detector proves the join
	p := testutil.Pipe(func(conn net.Conn) {
		testutil.Echo(conn)
		joined = true
	})
	echoOnce(t, pipeDial(t, p), "x")
	require.NoError(t, p.Close())
	assert.True(t, joined)
}

func TestPipeHandlerPanicIsReturnedByClose(t *testing.T) {
	p := testutil.Pipe(func(net.Conn) { panic("oops") })
	for range 2 {
		_, err := pipeDial(t, p).Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
	}
	err := p.Close()
	assert.ErrorContains(t, err, "oops")
	var panicked *core.PanicError
	assert.ErrorAs(t, err, &panicked)
	assert.Equal(t, err, p.Close())
}

func TestPipeCloseReturnsTheFirstPanicOfAHandler(t *testing.T) {
	what := make(chan string, 1)
	p := testutil.Pipe(func(net.Conn) { panic(<-what) })
	for _, say := range []string{"first", "second"} {
		conn, err := p.DialContext(t.Context(), "tcp", "server.test:1")
		require.NoError(t, err)
		what <- say
		_, err = conn.Read(make([]byte, 1))
		assert.Error(t, err)
		require.NoError(t, p.WaitOpen(t.Context(), 0))
	}
	assert.ErrorContains(t, p.Close(), "first")
}

func TestPipeHandlerMayLeaveByGoexit(t *testing.T) {
	p := testutil.Pipe(func(net.Conn) { runtime.Goexit() })
	_, err := pipeDial(t, p).Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	require.NoError(t, p.Close())
}

func TestPipeHandlerSeesTheAddressesFromItsSide(t *testing.T) {
	local := make(chan string, 1)
	p := testutil.Pipe(func(conn net.Conn) {
		local <- conn.LocalAddr().String() + " " + conn.RemoteAddr().String()
	})
	pipeDial(t, p)
	assert.Equal(t, "example.org:80 pipe", <-local)
	require.NoError(t, p.Close())
}

func TestPipeMayBeUsedByManyAtOnce(t *testing.T) {
	testutil.CheckLeaks(t)
	p := testutil.Pipe(testutil.Echo)
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 50 {
				conn, err := p.DialContext(t.Context(), "tcp", "a:1")
				if err != nil {
					continue
				}
				_, _ = io.WriteString(conn, "x")
				_ = conn.Close()
			}
		}()
	}
	for i := range 50 {
		p.Hang(i%2 == 0)
		p.HangUp()
	}
	p.Hang(false)
	require.NoError(t, p.WaitDials(patience(t), 100))
	require.NoError(t, p.Close())
	for range 8 {
		<-done
	}
	assert.Zero(t, p.Open())
}

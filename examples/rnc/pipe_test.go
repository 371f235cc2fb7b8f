package main

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/internal/demotest"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// piped makes a netcat whose network is in memory.
func piped(t *testing.T, in io.Reader, out io.Writer, network *testutil.PipeListener, args ...string) *netcat {
	t.Helper()
	opts, err := parse(append(args, "h:1"))
	require.NoError(t, err)
	n := &netcat{opts: opts, out: out, in: newInput(in)}
	cfg, err := n.config(t.Context(), out)
	require.NoError(t, err)
	cfg.Dialer = network
	n.client, err = reconnect.New(cfg)
	require.NoError(t, err)
	return n
}

func TestWhatAConnectionHasNotTakenGoesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan string, 4)
		network := testutil.Pipe(func(conn net.Conn) { // takes 3 bytes and hangs up
			buf := make([]byte, 3)
			k, _ := io.ReadFull(conn, buf)
			got <- string(buf[:k])
		})
		defer func() { _ = network.Close() }()
		n := piped(t, strings.NewReader("012345678"), io.Discard, network)
		defer n.in.close()
		require.NoError(t, n.client.Connect())
		require.NoError(t, n.client.Wait())
		for _, want := range []string{"012", "345", "678"} {
			assert.Equal(t, want, <-got)
		}
		assert.Zero(t, n.unsent())
	})
}

// refused makes a netcat, connected to a remote that handle is, which takes nothing of
// its input: "hello".
func refused(t *testing.T, out io.Writer, handle func(net.Conn)) *netcat {
	t.Helper()
	network := testutil.Pipe(handle)
	t.Cleanup(func() { _ = network.Close() })
	r, w := io.Pipe()
	n := piped(t, r, out, network, "-once")
	t.Cleanup(n.in.close)
	t.Cleanup(func() { _ = w.Close() })
	require.NoError(t, n.client.Connect())

	network.Conns()[0].FailWrite(&net.OpError{Op: "write", Err: syscall.EPIPE})
	_, err := io.WriteString(w, "hello")
	require.NoError(t, err)
	return n
}

func TestTheLastWordsOfARemoteThatTakesNothingAreReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		speak := make(chan struct{})
		out := new(demotest.Page)
		n := refused(t, out, func(conn net.Conn) {
			<-speak
			_, _ = io.WriteString(conn, "go away\n")
		})
		synctest.Wait()
		close(speak)
		assert.ErrorContains(t, n.client.Wait(), syscall.EPIPE.Error(), "which is why not all was sent")
		assert.Equal(t, "go away\n", out.String())
		assert.Equal(t, 5, n.unsent())
	})
}

// slow is an output that takes its time.
type slow struct{ *demotest.Page }

func (s slow) Write(p []byte) (int, error) {
	time.Sleep(2 * lastWords)
	return s.Page.Write(p)
}

func TestTheLastWordsOfARemoteAreWrittenOutHoweverSlowlyThatGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		words := strings.Repeat("go away\n", 5*chunkSize/8)
		out := new(demotest.Page)
		n := refused(t, slow{out}, func(conn net.Conn) { _, _ = io.WriteString(conn, words) })
		assert.ErrorContains(t, n.client.Wait(), syscall.EPIPE.Error())
		assert.Equal(t, len(words), len(out.String()))
	})
}

func TestARemoteThatTakesNothingIsLeftSoon(t *testing.T) {
	for does, handle := range map[string]func(net.Conn){
		"talks on": func(conn net.Conn) {
			for err := error(nil); err == nil; time.Sleep(lastWords / 3) {
				_, err = io.WriteString(conn, "go away\n")
			}
		},
		"says nothing": nil,
	} {
		t.Run(does, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := refused(t, io.Discard, handle)
				start := time.Now()
				assert.ErrorContains(t, n.client.Wait(), syscall.EPIPE.Error())
				assert.Equal(t, lastWords, time.Since(start))
			})
		})
	}
}

func TestAFailedReadOfTheInputEndsAWaitToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testutil.Pipe(nil)
		defer func() { _ = network.Close() }()
		network.Refuse(testutil.ConnRefused("tcp", "h:1"))
		r, w := io.Pipe()
		n := piped(t, r, io.Discard, network)
		defer n.in.close()
		require.NoError(t, n.client.Connect())
		_ = w.CloseWithError(errors.New("oops"))
		assert.EqualError(t, n.client.Wait(), "standard input: oops")
	})
}

func TestInputThatEndsAfterALostConnectionIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testutil.Pipe(nil)
		defer func() { _ = network.Close() }()
		r, w := io.Pipe()
		n := piped(t, r, io.Discard, network)
		defer n.in.close()
		require.NoError(t, n.client.Connect())
		network.Refuse(testutil.ConnRefused("tcp", "h:1"))
		network.Conns()[0].FailRead(&net.OpError{Op: "read", Err: syscall.ECONNRESET})
		synctest.Wait()
		require.Equal(t, reconnect.Waiting, n.client.State())
		_ = w.Close()
		assert.ErrorContains(t, n.client.Wait(), syscall.ECONNRESET.Error())
	})
}

func TestInputThatEndsAfterAConnectionThatEndedWellIsNoneThoughDialsFailSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testutil.Pipe(func(net.Conn) {}) // it hangs up
		defer func() { _ = network.Close() }()
		r, w := io.Pipe()
		n := piped(t, r, io.Discard, network)
		defer n.in.close()
		require.NoError(t, n.client.Connect())
		synctest.Wait()
		network.Refuse(testutil.ConnRefused("tcp", "h:1"))
		time.Sleep(time.Minute)
		require.Positive(t, n.client.Status().Failures)
		_ = w.Close()
		assert.NoError(t, n.client.Wait())
	})
}

func TestTheReasonOfAHangUpDuringAWriteIsTheHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quit := make(chan struct{})
		network := testutil.Pipe(func(net.Conn) { <-quit })
		defer func() { _ = network.Close() }()
		defer close(quit)
		n := piped(t, strings.NewReader("hello"), io.Discard, network, "-once")
		defer n.in.close()
		require.NoError(t, n.client.Connect())
		synctest.Wait() // for the write to block
		network.Conns()[0].FailRead(io.EOF)
		_ = n.client.Wait()
		assert.ErrorIs(t, n.ended, io.EOF)
		assert.Equal(t, 5, n.unsent())
	})
}

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/internal/demotest"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// fast are options that make a lost connection come back soon.
var fast = []string{"-initial", "1ms", "-max", "5ms"}

func with(more ...string) []string { return append(append([]string{}, fast...), more...) }

func upper(line string) (string, bool) { return strings.ToUpper(line), true }

// hold keeps a connection open, and says nothing.
func hold(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// silent is the remote of a server that takes connections, and nothing else. It
// doesn't notice that the other half of one is closed.
func silent(t *testing.T) string {
	server := testutil.NewServer(t, "tcp", hold)
	server.SetSilent(true)
	return server.Remote()
}

func TestItSendsItsInputAndEndsWithTheRemote(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		server := testutil.NewEchoServer(t, network)
		for _, size := range []int{0, 1, chunkSize, 10*chunkSize + 1} {
			input := strings.Repeat("x", size)
			code, out, stderr := once(t, input, server.Remote())
			assert.Equal(t, exitOK, code)
			assert.True(t, input == out, "%d bytes came back", len(out))
			assert.Empty(t, stderr)
		}
	}
}

func TestAHostAndAPortMayStandApartAndOptionsBehindThem(t *testing.T) {
	server := testutil.NewEchoServer(t, "tcp")
	host, port, err := net.SplitHostPort(server.Remote())
	require.NoError(t, err)
	code, out, stderr := once(t, "hello\n", host, port, "-v")
	assert.Equal(t, exitOK, code)
	assert.Equal(t, "hello\n", out)
	assert.Contains(t, stderr, "msg=connected addr="+server.Remote())
}

func TestItReconnectsWhenTheServerIsBack(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		server := testutil.NewLineServer(t, network, upper)
		p := begin(t, with("-status", server.Remote())...)
		p.write("one\n")
		p.out.WaitFor(t, "ONE\n", 1)

		server.Stop()
		p.err.WaitFor(t, "rnc: not connected", 1)
		p.write("two\n") // read ahead
		require.NoError(t, server.Restart())
		p.out.WaitFor(t, "TWO\n", 1)
		p.write("three\n")
		p.out.WaitFor(t, "THREE\n", 1)

		require.NoError(t, p.in.Close())
		p.exit(exitOK)
		assert.Equal(t, "ONE\nTWO\nTHREE\n", p.out.String())
		assert.Contains(t, p.err.String(), "rnc: connected to "+server.Remote()+"\n")
	}
}

func TestItWaitsForAServerThatIsNotThereYet(t *testing.T) {
	server := testutil.NewLineServer(t, "unix", upper)
	server.Stop()
	p := begin(t, with("-status", server.Remote())...)
	p.write("hello\n")
	require.NoError(t, p.in.Close())
	p.err.WaitFor(t, "rnc: not connected", 2)
	require.NoError(t, server.Restart())
	p.exit(exitOK)
	assert.Equal(t, "HELLO\n", p.out.String())
}

func TestAnEmptyInputStillWaitsForAFirstConnection(t *testing.T) {
	server := testutil.NewServer(t, "unix", func(conn net.Conn) { _, _ = io.WriteString(conn, "news\n") })
	server.Stop()
	p := begin(t, with("-status", server.Remote())...)
	require.NoError(t, p.in.Close())
	p.err.WaitFor(t, "rnc: not connected", 2)
	require.NoError(t, server.Restart())
	p.exit(exitOK)
	assert.Equal(t, "news\n", p.out.String())
}

func TestTheInputMayEndWhileThereIsNoConnection(t *testing.T) {
	server := testutil.NewLineServer(t, "tcp", upper)
	p := begin(t, "-status", "-initial", "1h", "-max", "1h", server.Remote())
	p.write("one\n")
	p.out.WaitFor(t, "ONE\n", 1)
	server.HangUp()
	p.err.WaitFor(t, "rnc: not connected", 1)
	require.NoError(t, p.in.Close())
	p.exit(exitOK)
}

func TestNothingIsSentTwiceOrOutOfOrder(t *testing.T) {
	// The server keeps what it gets, and hangs up again and again.
	var mu sync.Mutex
	var got []byte
	server := testutil.NewServer(t, "unix", func(conn net.Conn) {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			mu.Lock()
			got = append(got, buf[:n]...)
			mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	server.SetHangUpAfter(100_000)

	sent := make([]byte, 1<<20) // each 4 bytes are a number
	for i := 0; i < len(sent); i += 4 {
		sent[i], sent[i+1], sent[i+2], sent[i+3] = byte(i>>26), byte(i>>18), byte(i>>10), byte(i>>2)
	}
	code, _, stderr := once(t, string(sent), with(server.Remote())...)
	// The last connection is cut as well or not, depending on how much was lost
	// with the others.
	assert.Contains(t, []int{exitOK, exitFailure}, code, stderr)

	mu.Lock()
	defer mu.Unlock()
	assert.Greater(t, server.Accepted(), 1)
	rest := sent
	for len(got) > 0 { // longest piece by piece: each must lie further on
		n := min(len(got), 64)
		at := bytes.Index(rest, got[:n])
		if !assert.GreaterOrEqual(t, at, 0, "%d bytes from the end: sent twice, or out of order", len(got)) {
			return
		}
		for rest = rest[at:]; len(got) > 0 && len(rest) > 0 && got[0] == rest[0]; {
			got, rest = got[1:], rest[1:]
		}
	}
}

func TestWithoutReconnectingTheFirstConnectionIsTheOnlyOne(t *testing.T) {
	for _, flag := range []string{"-once", "-no-reconnect"} {
		server := testutil.NewLineServer(t, "tcp", upper)
		p := begin(t, flag, server.Remote())
		p.write("one\n")
		p.out.WaitFor(t, "ONE\n", 1)
		server.HangUp()
		p.exit(exitOK)
		assert.Equal(t, 1, server.Accepted())

		server.Stop()
		code, _, stderr := once(t, "", flag, server.Remote())
		assert.Equal(t, exitFailure, code)
		assert.Contains(t, stderr, server.Remote())
	}
}

func TestItGivesUpWhenToldTo(t *testing.T) {
	server := testutil.NewEchoServer(t, "unix")
	server.Stop()
	code, _, stderr := once(t, "", with("-retries", "3", server.Remote())...)
	assert.Equal(t, exitFailure, code)
	assert.Contains(t, stderr, "gave up reconnecting after 3 ")
	assert.Contains(t, stderr, server.Remote())

	code, _, stderr = once(t, "", with("-max-elapsed", "20ms", server.Remote())...)
	assert.Equal(t, exitFailure, code)
	assert.Contains(t, stderr, server.Remote())
}

func TestInputThatWasReadAndNotSentIsReported(t *testing.T) {
	server := testutil.NewServer(t, "tcp", hold)
	p := begin(t, "-status", "-initial", "1h", "-max", "1h", server.Remote())
	p.err.WaitFor(t, "rnc: connected", 1)
	server.Stop()
	p.err.WaitFor(t, "rnc: not connected", 1)
	p.write("hello\n")
	p.cancel(errors.New("enough"))
	p.exit(exitFailure)
	assert.Contains(t, p.err.String(), "rnc: enough\n")
	assert.Contains(t, p.err.String(), "not sent: 6 bytes\n")
}

func TestItMayQuitAfterTheEndOfTheInput(t *testing.T) {
	remote := silent(t)
	for _, q := range []string{"0", "0.01", "10ms"} {
		code, _, stderr := once(t, "hello\n", "-q", q, remote)
		assert.Equal(t, exitOK, code)
		assert.Empty(t, stderr)
	}
}

func TestWithoutReadingItsInputItReceivesAndReconnects(t *testing.T) {
	server := testutil.NewServer(t, "unix", func(conn net.Conn) {
		_, _ = io.WriteString(conn, "news\n")
		hold(conn)
	})
	p := begin(t, with("-d", server.Remote())...)
	require.NoError(t, p.in.Close())
	for i := range 3 {
		p.out.WaitFor(t, "news\n", i+1)
		server.HangUp()
	}
	p.cancel(nil)
	p.exit(exitOK)
}

func TestAConnectionThatIsIdleIsReplaced(t *testing.T) {
	server := testutil.NewServer(t, "tcp", hold)
	p := begin(t, with("-v", "-d", "-idle-timeout", "20ms", server.Remote())...)
	require.NoError(t, server.WaitAccepted(t.Context(), 3))
	p.err.WaitFor(t, `error="nothing sent or received for 20ms"`, 1)

	code, _, stderr := once(t, "", with("-idle-timeout", "20ms", silent(t))...)
	assert.Equal(t, exitFailure, code)
	assert.Equal(t, "rnc: connection lost after the end of the input: nothing sent or received for 20ms\n", stderr)
}

func TestARemoteThatTakesLittleAtATimeIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sip, idle = 1 << 10, time.Second
		var got bytes.Buffer
		pipe := testutil.Pipe(func(conn net.Conn) {
			for got.Len() < 2*chunkSize {
				time.Sleep(idle * 3 / 4)
				_, err := io.CopyN(&got, conn, sip)
				if !assert.NoError(t, err) {
					return
				}
			}
		})
		input := strings.Repeat("0123456789abcdef", 2*chunkSize/16)
		opts, err := parse([]string{"-idle-timeout", idle.String(), "server.test:1"})
		require.NoError(t, err)
		n := &netcat{opts: opts, in: newInput(strings.NewReader(input)), out: io.Discard}
		cfg, err := n.config(t.Context(), io.Discard)
		require.NoError(t, err)
		cfg.Dialer = pipe
		n.client, err = reconnect.New(cfg)
		require.NoError(t, err)
		require.NoError(t, n.client.Connect())
		assert.NoError(t, n.client.Wait())
		n.in.close()
		require.NoError(t, pipe.Close())
		assert.EqualValues(t, 1, n.client.Status().Sessions)
		assert.True(t, input == got.String(), "%d bytes", got.Len())
	})
}

func TestWhatGoesWrongHereIsNotTheNetworks(t *testing.T) {
	server := testutil.NewEchoServer(t, "tcp")
	for _, err := range []error{syscall.EPIPE, io.ErrClosedPipe, net.ErrClosed} {
		stderr := new(demotest.Page)
		code := run(t.Context(), []string{server.Remote()}, stdio{
			in: iotest.ErrReader(err), out: io.Discard, err: stderr,
		})
		assert.Equal(t, exitFailure, code)
		assert.Equal(t, "rnc: standard input: "+err.Error()+"\n", stderr.String())

		stderr = new(demotest.Page)
		in, w := io.Pipe()
		var reader sync.WaitGroup
		reader.Go(func() { _, _ = io.WriteString(w, "hello") })
		code = run(t.Context(), []string{server.Remote()}, stdio{in: in, out: broken{err}, err: stderr})
		assert.Equal(t, exitFailure, code)
		assert.Equal(t, "rnc: standard output: "+err.Error()+"\n", stderr.String())
		_ = w.Close()
		reader.Wait()
	}
}

// broken is an output that takes nothing.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestABlockedOutputDoesNotHoldUpQuitting(t *testing.T) {
	server := testutil.NewServer(t, "tcp", func(conn net.Conn) {
		_, _ = io.WriteString(conn, "news\n")
		hold(conn)
	})
	r, w := io.Pipe() // nobody reads more than a byte
	input, more := io.Pipe()
	code := make(chan int, 1)
	var done sync.WaitGroup
	done.Go(func() {
		code <- run(t.Context(), []string{"-q", "0", server.Remote()}, stdio{in: input, out: w, err: io.Discard})
	})
	_, err := r.Read(make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, more.Close())
	assert.Equal(t, exitOK, <-code)
	_ = r.Close()
	done.Wait()
	require.NoError(t, server.WaitOpen(t.Context(), 0))
}

func TestABlockedOutputDoesNotHoldUpTheEnd(t *testing.T) {
	server := testutil.NewServer(t, "tcp", func(conn net.Conn) {
		_, _ = io.WriteString(conn, "news\n")
		hold(conn)
	})
	r, w := io.Pipe() // nobody reads more than a byte
	ctx, cancel := context.WithCancelCause(t.Context())
	code := make(chan int, 1)
	var done sync.WaitGroup
	done.Go(func() {
		code <- run(ctx, []string{"-d", server.Remote()}, stdio{in: r, out: w, err: io.Discard})
	})
	_, err := r.Read(make([]byte, 1))
	require.NoError(t, err)
	cancel(&signalError{syscall.SIGTERM})
	assert.Equal(t, 143, <-code)
	_ = r.Close()
	done.Wait()
	require.NoError(t, server.WaitOpen(t.Context(), 0))
}

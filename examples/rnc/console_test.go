package main

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/internal/demotest"
	"darvaza.org/x/net/testutil"
)

func TestOnOneTerminalTheErrorsBeginNewLines(t *testing.T) {
	page := new(demotest.Page)
	out, err := share(page, page)
	for _, line := range []struct {
		w    io.Writer
		text string
	}{
		{err, "a\n"}, {out, "prompt> "}, {err, "b\n"}, {err, "c\n"}, {out, "line\n"}, {err, "d\n"}, {out, "end"}, {out, ""}, {err, "e\n"},
	} {
		n, err := io.WriteString(line.w, line.text)
		require.NoError(t, err)
		assert.Len(t, line.text, n)
	}
	assert.Equal(t, "a\nprompt> \nb\nc\nline\nd\nend\ne\n", page.String())

	failed := errors.New("failed")
	out, err = share(io.Discard, broken{failed})
	_, _ = io.WriteString(out, "prompt> ")
	_, e := io.WriteString(err, "b\n")
	assert.Equal(t, failed, e)
}

func TestOnOneTerminalTheStatusLeavesAloneWhatWasReceived(t *testing.T) {
	server := testutil.NewServer(t, "tcp", func(conn net.Conn) {
		_, _ = io.WriteString(conn, "login: ")
		hold(conn)
	})
	for range 20 {
		page := new(demotest.Page)
		std := stdio{terminal: true}
		std.out, std.err = share(page, page)
		ctx, cancel := context.WithCancelCause(t.Context())
		code := make(chan int, 1)
		var done sync.WaitGroup
		done.Go(func() { code <- run(ctx, []string{"-d", "-initial", "1ms", server.Remote()}, std) })

		page.WaitFor(t, "login: ", 1)
		server.HangUp()
		page.WaitFor(t, "login: ", 2)
		cancel(&signalError{syscall.SIGINT})
		assert.Equal(t, 130, <-code)
		done.Wait()

		lines := strings.Split(page.String(), "\n")
		require.Len(t, lines, 4)
		assert.Contains(t, lines[0], "connected to "+server.Remote())
		assert.Equal(t, "login: ", lines[1])
		assert.Contains(t, lines[2], "connected to "+server.Remote())
		assert.Equal(t, "login: ", lines[3])
	}
}

func TestASignalBeforeTheStartEndsTheProgram(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&signalError{syscall.SIGINT})
	for range 100 {
		std := stdio{in: strings.NewReader(""), out: io.Discard, err: io.Discard}
		assert.Equal(t, 130, run(ctx, []string{"-status", "127.0.0.1:1"}, std))
	}
}

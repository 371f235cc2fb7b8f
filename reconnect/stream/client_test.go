package stream_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// TestEachConnectionOfAClientGetsASessionOfItsOwn has a server that serves one
// message, says goodbye in half a line, and hangs up.
func TestEachConnectionOfAClientGetsASessionOfItsOwn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			write(conn, "re: "+line+"bye")
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-served })

	var (
		client *reconnect.Client
		got    = make(chan []string, 3)
		n      int
	)
	client, err = reconnect.New(&reconnect.Config{
		Remote:        l.Addr().String(),
		WaitReconnect: func(ctx context.Context) error { return ctx.Err() },
		OnSession: func(ctx context.Context) error {
			s := linesOver(t, client)
			s.Context = ctx
			s.OnError = func(err error) { t.Errorf("OnError: %v", err) }
			if err := s.Spawn(); err != nil {
				return err
			}
			n++
			if err := s.Send(fmt.Sprint(n)); n <= cap(got) {
				assert.NoError(t, err) // a session after those may meet the stop
			}
			msgs := rest(s)
			if len(got) < cap(got) {
				got <- msgs
			}
			return s.Wait()
		},
	})
	require.NoError(t, err)
	require.NoError(t, client.Connect())
	for i := range 3 {
		assert.Equal(t, []string{fmt.Sprint("re: ", i+1), "bye"}, <-got)
	}
	assert.NoError(t, client.Shutdown(context.Background()))
}

func TestContextThatEndsWithEOFIsAGoodEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		s, _ := newLines(t)
		s.Context = ctx
		s.OnError = func(err error) { t.Errorf("OnError: %v", err) }
		spawn(t, s)
		cancel(io.EOF)
		assert.NoError(t, s.Wait())
		assert.NoError(t, s.Err())
		assert.NoError(t, s.Shutdown(context.Background()))
	})
}

func TestEOFOfAWorkerIsAnError(t *testing.T) {
	s, _ := newLines(t)
	spawn(t, s)
	s.Go(func(context.Context) error { return io.EOF })
	assert.Equal(t, io.EOF, s.Wait())
}

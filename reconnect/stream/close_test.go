package stream_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is what a Shutdown that has given up still leaves to a Close.
const patience = 100 * time.Millisecond

// stuckConn is a connection whose Close takes its time.
type stuckConn struct {
	net.Conn
	release <-chan struct{}
}

func (c stuckConn) Close() error {
	<-c.release
	return c.Conn.Close()
}

func TestShutdownThatGaveUpDoesNotWaitForACloseThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		conn, peer := net.Pipe()
		defer peer.Close()
		s := linesOver(t, conn)
		s.Conn = stuckConn{conn, release}
		require.NoError(t, s.Spawn())
		require.NoError(t, s.Send("nobody reads this"))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		require.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
		require.Equal(t, time.Second+patience, time.Since(begin))
		require.False(t, ended(s.Done()))
		close(release)
		require.NoError(t, s.Wait())
	})
}

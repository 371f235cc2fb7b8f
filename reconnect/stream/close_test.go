package stream_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/testutil"
)

// patience is what a Shutdown that has given up still leaves to a Close.
const patience = 100 * time.Millisecond

func TestShutdownThatGaveUpDoesNotWaitForACloseThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		conn, peer := net.Pipe()
		defer peer.Close()
		held := testutil.NewFaultConn(conn)
		held.HoldClose(release)
		s := linesOver(t, held)
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

// closePanic is a connection whose Close panics.
type closePanic struct{ io.ReadWriteCloser }

var errOfClose, errOfHook = errors.New("of Close"), errors.New("of OnError")

func (c closePanic) Close() error {
	_ = c.ReadWriteCloser.Close()
	panic(errOfClose)
}

func TestPanicOfOnErrorIsJoinedToThatOfClose(t *testing.T) {
	s, _ := newLines(t)
	s.Conn = closePanic{s.Conn}
	s.OnError = func(err error) {
		assert.ErrorIs(t, err, errOfClose)
		panic(errOfHook)
	}
	require.NoError(t, s.Spawn())
	_ = s.Close()
	err := s.Wait()
	assert.ErrorIs(t, err, errOfClose)
	assert.ErrorIs(t, err, errOfHook)
}

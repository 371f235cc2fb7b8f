package stream_test

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/reconnect/stream"
)

func TestSpawnTwiceMatchesErrExist(t *testing.T) {
	s, _ := newLines(t)
	spawn(t, s)
	assert.ErrorIs(t, s.Spawn(), fs.ErrExist)

	require.NoError(t, s.Close())
	require.NoError(t, s.Wait())
	assert.ErrorIs(t, s.Spawn(), fs.ErrExist, "also after the end")
}

func TestSpawnAtOnceStartsOneSession(t *testing.T) {
	s, _ := newLines(t)
	var (
		wg      sync.WaitGroup
		started atomic.Int32
	)
	for range 16 {
		wg.Go(func() {
			if err := s.Spawn(); err == nil {
				started.Add(1)
			} else {
				assert.ErrorIs(t, err, fs.ErrExist)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, started.Load())
	assert.NoError(t, s.Close())
	assert.NoError(t, s.Wait())
}

// slowContext has the first who asks for its end wait.
type slowContext struct {
	context.Context
	first          *sync.Once
	asked, proceed chan struct{}
}

func (c slowContext) Done() <-chan struct{} {
	c.first.Do(func() {
		close(c.asked)
		<-c.proceed
	})
	return c.Context.Done()
}

func TestMethodsWorkForWhomSpawnTellsThatItWasCalledBefore(t *testing.T) {
	s, _ := newLines(t)
	ctx := slowContext{context.Background(), new(sync.Once), make(chan struct{}), make(chan struct{})}
	s.Context = ctx
	spawned := make(chan error, 1)
	go func() { spawned <- s.Spawn() }()
	<-ctx.asked
	require.ErrorIs(t, s.Spawn(), fs.ErrExist)
	assert.NoError(t, s.Err())
	assert.NoError(t, s.TrySend("hello"))
	close(ctx.proceed)
	require.NoError(t, <-spawned)
	require.NoError(t, s.Close())
	require.NoError(t, s.Wait())
}

func TestSpawnNamesTheMissingField(t *testing.T) {
	for _, tc := range []struct {
		name string
		take func(*lines)
	}{
		{"Conn", func(s *lines) { s.Conn = nil }},
		{"Unmarshal", func(s *lines) { s.Unmarshal = nil }},
		{"Marshal", func(s *lines) { s.Marshal = nil }},
		{"MaxMessageSize", func(s *lines) { s.MaxMessageSize = -1 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := newLines(t)
			good := linesOver(t, s.Conn)
			tc.take(s)

			err := s.Spawn()
			require.ErrorIs(t, err, fs.ErrInvalid)
			assert.ErrorIs(t, err, core.ErrInvalid)
			assert.ErrorContains(t, err, "stream: ")
			assert.ErrorContains(t, err, tc.name)

			// Nothing has been used up: the same session works once it is complete.
			s.Conn, s.Marshal, s.Unmarshal, s.MaxMessageSize = good.Conn, good.Marshal, good.Unmarshal, 0
			spawn(t, s)
		})
	}
	assert.ErrorIs(t, (*lines)(nil).Spawn(), fs.ErrInvalid)
}

func TestMethodBeforeSpawnPanicsWithErrInvalid(t *testing.T) {
	for name, call := range map[string]func(*lines){
		"Go":          func(s *lines) { s.Go() },
		"GoCatch":     func(s *lines) { s.GoCatch(nil, nil) },
		"Send":        func(s *lines) { _ = s.Send("") },
		"SendContext": func(s *lines) { _ = s.SendContext(context.Background(), "") },
		"TrySend":     func(s *lines) { _ = s.TrySend("") },
		"Recv":        func(s *lines) { s.Recv() },
		"Next":        func(s *lines) { s.Next() },
		"Close":       func(s *lines) { _ = s.Close() },
		"Shutdown":    func(s *lines) { _ = s.Shutdown(context.Background()) },
		"Wait":        func(s *lines) { _ = s.Wait() },
		"Done":        func(s *lines) { s.Done() },
		"Err":         func(s *lines) { _ = s.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newLines(t)
			for _, s := range []*lines{s, nil} {
				err := panicOf(func() { call(s) })
				assert.ErrorIs(t, err, fs.ErrInvalid)
				assert.ErrorContains(t, err, name)
			}
			spawn(t, s)
		})
	}
}

// panicOf runs fn, and gives the error it panics with.
func panicOf(fn func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	fn()
	return nil
}

func TestSpawnTakesACopyOfTheFields(t *testing.T) {
	s, peer := newLines(t)
	spawn(t, s)
	s.Conn, s.Unmarshal, s.Marshal, s.Split = nil, nil, nil, nil

	write(peer, "in\n")
	m, ok := s.Next()
	assert.True(t, ok)
	assert.Equal(t, "in", m)
}

func TestContextThatIsOverEndsTheSessionAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, peer := newLines(t)
	s.Context = ctx
	require.NoError(t, s.Spawn())
	assert.NoError(t, s.Wait())
	_, ok := s.Next()
	assert.False(t, ok)
	assert.ErrorIs(t, s.Send("x"), stream.ErrClosed)
	_, err := peer.Read(make([]byte, 1))
	assert.Error(t, err, "Conn is closed")
}

// TestHooksNeverComeBeforeSpawnIsThrough would see a panic, as an error, of a
// method that was called too early.
func TestHooksNeverComeBeforeSpawnIsThrough(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	for range 500 {
		s, _ := newLines(t)
		s.Context = ctx
		s.SetReadDeadline = func() error { return s.Err() }
		s.OnError = func(error) { _ = s.TrySend("x") }
		require.NoError(t, s.Spawn())
		require.Equal(t, why, s.Wait())
	}
}

func TestHugeQueueSizeTakesNoMemory(t *testing.T) {
	s, peer := newLines(t)
	s.QueueSize = ^uint(0)
	spawn(t, s)
	for range 1000 {
		require.NoError(t, s.TrySend("x"))
	}
	assert.NoError(t, peer.Close())
}

package stream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/reconnect/stream"
	"darvaza.org/x/net/worker"
)

func TestShutdownSendsWhatIsQueuedThenEndsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		s.QueueSize = 20
		spawn(t, s)
		n := fill(t, s)

		done := make(chan error, 1)
		go func() { done <- s.Shutdown(context.Background()) }()
		synctest.Wait()
		require.Empty(t, done, "Shutdown waits for the peer")
		assert.ErrorIs(t, s.TrySend("late"), stream.ErrClosed)

		scan := bufio.NewScanner(peer)
		for i := range n {
			require.True(t, scan.Scan())
			assert.Equal(t, fmt.Sprint(i), scan.Text())
		}
		assert.False(t, scan.Scan())
		assert.NoError(t, <-done)
		assert.NoError(t, s.Wait())
		assert.NoError(t, s.Err())
		assert.NoError(t, s.Shutdown(context.Background()), "again")
	})
}

// TestNoAcceptedMessageIsLostToAShutdownThatRaces counts what Send said yes to.
func TestNoAcceptedMessageIsLostToAShutdownThatRaces(t *testing.T) {
	for range 50 {
		conn, peer := tcpPair(t)
		s := linesOver(t, conn)
		s.QueueSize = 3
		spawn(t, s)

		var (
			wg       sync.WaitGroup
			mu       sync.Mutex
			accepted = map[string]bool{}
			begun    = make(chan struct{})
			once     sync.Once
		)
		for id := range 8 {
			wg.Go(func() {
				for i := 0; ; i++ {
					m := fmt.Sprintf("%d %d", id, i)
					if err := sendSomehow(s, i, m); err != nil {
						assert.ErrorIs(t, err, stream.ErrClosed)
						return
					}
					mu.Lock()
					accepted[m] = true
					mu.Unlock()
					once.Do(func() { close(begun) })
				}
			})
		}
		done := make(chan error, 1)
		go func() {
			<-begun
			done <- s.Shutdown(context.Background())
		}()
		got := map[string]bool{}
		scan := bufio.NewScanner(peer)
		for scan.Scan() {
			got[scan.Text()] = true
		}
		require.NoError(t, peer.Close())
		wg.Wait()
		require.NoError(t, scan.Err())
		require.NoError(t, <-done)
		require.Equal(t, accepted, got)
	}
}

func TestShutdownGivesUpWithItsContextAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		spawn(t, s)
		fill(t, s)

		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		assert.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(start))

		_, err := peer.Read(make([]byte, 1))
		assert.Error(t, err, "Conn is closed")
		assert.NoError(t, s.Wait(), "the user asked for it")
		assert.NoError(t, s.Shutdown(ctx), "a session that is done has no need of time")
		assert.NoError(t, s.Shutdown(noContext), "nil never ends")
	})
}

func TestShutdownThatGaveUpDoesNotWaitForAHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		hold := make(chan struct{})
		s.Unmarshal = func([]byte) (string, error) { <-hold; return "", nil }
		spawn(t, s)
		write(peer, "x\n")
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		assert.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
		assert.False(t, ended(s.Done()))
		close(hold)
		assert.NoError(t, s.Wait())
	})
}

func TestShutdownTellsWhyWhatWasQueuedIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		s, _ := newLines(t)
		s.Conn = failingWrite{s.Conn, broken}
		hold := make(chan struct{})
		s.SetWriteDeadline = func() error { <-hold; return nil }
		spawn(t, s)
		require.NoError(t, s.Send("x"))
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(context.Background()) }()
		synctest.Wait()
		close(hold)
		assert.ErrorIs(t, <-done, broken)
		assert.ErrorIs(t, s.Wait(), broken)
	})
}

func TestCloseStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		s.QueueSize = 3
		s.OnError = func(err error) { t.Errorf("OnError: %v", err) }
		spawn(t, s)
		fill(t, s)

		assert.NoError(t, s.Close())
		_, err := peer.Read(make([]byte, 1))
		assert.Error(t, err, "Conn is closed when Close returns")
		assert.NoError(t, s.Close())
		assert.NoError(t, s.Wait())
		assert.NoError(t, s.Err())
		assert.NoError(t, s.Shutdown(context.Background()))
	})
}

func TestConnIsClosedExactlyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		counted := &closeCounter{Conn: s.Conn.(net.Conn)}
		s.Conn = counted
		spawn(t, s)
		require.NoError(t, peer.Close())
		for range 3 {
			assert.NoError(t, s.Close())
			assert.NoError(t, s.Shutdown(context.Background()))
		}
		assert.Equal(t, 1, counted.closes)
	})
}

type closeCounter struct {
	net.Conn
	closes int
}

func (c *closeCounter) Close() error {
	c.closes++
	return errors.Join(c.Conn.Close(), errors.New("close failed"))
}

func TestContextEndsTheSessionWithItsCause(t *testing.T) {
	why := errors.New("why")
	for name, tc := range map[string]struct {
		end  func(context.CancelCauseFunc)
		want error
	}{
		"cancelled":     {func(cancel context.CancelCauseFunc) { cancel(nil) }, nil},
		"with a cause":  {func(cancel context.CancelCauseFunc) { cancel(why) }, why},
		"past deadline": {func(context.CancelCauseFunc) { time.Sleep(time.Hour) }, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancelTimeout := context.WithTimeout(context.Background(), time.Hour)
				defer cancelTimeout()
				ctx, cancel := context.WithCancelCause(ctx)
				s, peer := newLines(t)
				s.Context = ctx
				var told error
				s.OnError = func(err error) { told = err }
				spawn(t, s)
				synctest.Wait()
				tc.end(cancel)
				assert.Equal(t, tc.want, s.Wait())
				assert.Equal(t, tc.want, s.Err())
				assert.Equal(t, tc.want, s.Shutdown(context.Background()))
				assert.Equal(t, tc.want, told)
				_, err := peer.Read(make([]byte, 1))
				assert.Error(t, err)
			})
		})
	}
}

// watchedContext counts who waits for its end by AfterFunc.
type watchedContext struct {
	context.Context
	done     chan struct{}
	watchers atomic.Int32
}

func (c *watchedContext) Done() <-chan struct{} { return c.done }

func (c *watchedContext) AfterFunc(func()) (stop func() bool) {
	c.watchers.Add(1)
	return func() bool { c.watchers.Add(-1); return true }
}

func TestSessionThatIsOverLeavesNothingAtItsContext(t *testing.T) {
	s, _ := newLines(t)
	ctx := &watchedContext{Context: context.Background(), done: make(chan struct{})}
	s.Context = ctx
	spawn(t, s)
	require.EqualValues(t, 1, ctx.watchers.Load())
	require.NoError(t, s.Close())
	require.NoError(t, s.Wait())
	assert.Zero(t, ctx.watchers.Load())
}

func TestErrIsNilWhileTheSessionRuns(t *testing.T) {
	s, _ := newLines(t)
	spawn(t, s)
	assert.NoError(t, s.Err())
	assert.False(t, ended(s.Done()))
	assert.Equal(t, s.Done(), s.Done())
}

func TestOnErrorIsToldOnceAndBeforeDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newLines(t)
		told := make(chan error)
		s.OnError = func(err error) { told <- err }
		spawn(t, s)
		broken := errors.New("broken")
		for range 3 {
			s.Go(func(context.Context) error { return broken })
		}
		synctest.Wait()
		assert.False(t, ended(s.Done()))
		assert.ErrorIs(t, s.Send("x"), stream.ErrClosed, "Conn is closed by now")
		assert.Equal(t, broken, <-told)
		assert.Equal(t, broken, s.Wait())
	})
}

func TestPanicOfOnErrorIsJoinedToTheError(t *testing.T) {
	s, _ := newLines(t)
	s.OnError = func(error) { panic("boom") }
	spawn(t, s)
	broken := errors.New("broken")
	s.Go(func(context.Context) error { return broken })
	err := s.Wait()
	assert.ErrorIs(t, err, broken)
	var p *core.PanicError
	assert.ErrorAs(t, err, &p)
}

func TestPanicOfConnsCloseIsAnErrorOfTheSession(t *testing.T) {
	s, _ := newLines(t)
	s.Conn = panickingClose{s.Conn.(net.Conn)}
	told := make(chan error, 2)
	s.OnError = func(err error) { told <- err }
	spawn(t, s)
	require.NoError(t, s.Close())
	var p *core.PanicError
	assert.ErrorAs(t, s.Wait(), &p)
	require.Len(t, told, 1)
	assert.Equal(t, s.Wait(), <-told)
}

type panickingClose struct{ net.Conn }

func (c panickingClose) Close() error {
	_ = c.Conn.Close()
	panic("boom")
}

func TestGoexitOfCloseAndPanicOfOnErrorAreBothTold(t *testing.T) {
	s, _ := newLines(t)
	s.Conn = exitingClose{s.Conn.(net.Conn)}
	var told error
	s.OnError = func(err error) { told = err; panic("boom") }
	spawn(t, s)
	s.Go(func(context.Context) error { return io.ErrNoProgress })
	err := s.Wait()
	for _, err := range []error{err, told} {
		assert.ErrorIs(t, err, io.ErrNoProgress)
		assert.ErrorIs(t, err, worker.ErrGoexit)
	}
	var p *core.PanicError
	assert.ErrorAs(t, err, &p)
}

type exitingClose struct{ net.Conn }

func (c exitingClose) Close() error {
	_ = c.Conn.Close()
	goexit()
	return nil
}

func TestGoexitOfOnErrorEndsTheSession(t *testing.T) {
	s, _ := newLines(t)
	s.OnError = func(error) { goexit() }
	spawn(t, s)
	broken := errors.New("broken")
	s.Go(func(context.Context) error { return broken })
	err := s.Wait()
	assert.ErrorIs(t, err, broken)
	assert.ErrorIs(t, err, worker.ErrGoexit)
}

func TestCauseOfContextComesBeforeWhateverFollowsIt(t *testing.T) {
	broken := errors.New("broken")
	for name, then := range map[string]func(*lines, net.Conn){
		"Close":          func(s *lines, _ net.Conn) { _ = s.Close() },
		"Err":            func(s *lines, _ net.Conn) { assert.Equal(t, broken, s.Err()) },
		"Shutdown":       func(s *lines, _ net.Conn) { _ = s.Shutdown(context.Background()) },
		"the peer's end": func(_ *lines, peer net.Conn) { _ = peer.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				ctx, cancel := context.WithCancelCause(t.Context())
				s, _, peer := newHalf(t)
				s.Context = ctx
				spawn(t, s)
				cancel(broken)
				then(s, peer)
				assert.Equal(t, broken, s.Wait())
			}
		})
	}
}

func TestWaitGivesTheSameAlsoWhenTheContextEndsLater(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	s, _ := newLines(t)
	s.Context = ctx
	spawn(t, s)
	s.Go(func(context.Context) error { return io.EOF })
	require.Equal(t, io.EOF, s.Wait())
	cancel(io.EOF)
	assert.Equal(t, io.EOF, s.Wait())
	assert.Equal(t, io.EOF, s.Err())
}

func TestEOFOfAWorkerIsAnErrorAlsoWhereConnEndsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	s, _ := newLines(t)
	s.Context = ctx
	s.Conn = cancellingClose{s.Conn.(net.Conn), cancel}
	var told error
	s.OnError = func(err error) { told = err }
	spawn(t, s)
	s.Go(func(context.Context) error { return io.EOF })
	assert.Equal(t, io.EOF, s.Wait())
	assert.Equal(t, io.EOF, told)
}

// cancellingClose is a conn with a context of its own.
type cancellingClose struct {
	net.Conn
	cancel context.CancelCauseFunc
}

func (c cancellingClose) Close() error {
	c.cancel(io.EOF)
	return c.Conn.Close()
}

// slowCloser is a conn whose Close waits.
type slowCloser struct {
	io.ReadWriteCloser
	release <-chan struct{}
}

func (c slowCloser) Close() error {
	<-c.release
	return c.ReadWriteCloser.Close()
}

func TestErrWaitsNeitherForCloseNorForOnError(t *testing.T) {
	why := errors.New("why")
	for name, edit := range map[string]func(*lines, <-chan struct{}){
		"Close":   func(s *lines, release <-chan struct{}) { s.Conn = slowCloser{s.Conn, release} },
		"OnError": func(s *lines, release <-chan struct{}) { s.OnError = func(error) { <-release } },
	} {
		t.Run(name, func(t *testing.T) {
			for range 100 { // whoever hears of the end first sees to it
				synctest.Test(t, func(t *testing.T) {
					s, _ := newLines(t)
					ctx, cancel := context.WithCancelCause(t.Context())
					s.Context = ctx
					release := make(chan struct{})
					edit(s, release)
					require.NoError(t, s.Spawn())
					cancel(why)
					var err error
					told := make(chan struct{})
					go func() { err = s.Err(); close(told) }()
					synctest.Wait()
					select {
					case <-told:
						assert.Equal(t, why, err)
					default:
						t.Error("Err waits")
					}
					close(release)
					assert.Equal(t, why, s.Wait())
					<-told
				})
			}
		})
	}
}

package stream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/lifecycle"
	"darvaza.org/x/net/reconnect/stream"
)

// fill sends until the queue is full, to a peer that doesn't read.
func fill(t *testing.T, s *lines) (accepted int) {
	t.Helper()
	for {
		switch err := s.TrySend(fmt.Sprint(accepted)); {
		case err == nil:
			accepted++
		default:
			require.ErrorIs(t, err, stream.ErrQueueFull)
			require.NotErrorIs(t, err, stream.ErrClosed)
			return accepted
		}
	}
}

func TestSendBlocksOnceQueueSizeMessagesWait(t *testing.T) {
	for _, size := range []uint{0, 1, 7} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, peer := newLines(t)
				s.QueueSize = size
				spawn(t, s)
				// One more than wait is being written.
				assert.EqualValues(t, size+1, fill(t, s))

				sent := make(chan error, 1)
				go func() { sent <- s.Send("last") }()
				synctest.Wait()
				require.Empty(t, sent, "Send must block")

				r := bufio.NewReader(peer)
				for i := range size + 1 {
					require.Equal(t, fmt.Sprint(i), readLine(t, r))
				}
				require.Equal(t, "last", readLine(t, r))
				require.NoError(t, <-sent)
			})
		})
	}
}

func TestSendContextGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		s.QueueSize = 2
		spawn(t, s)
		n := fill(t, s)

		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		assert.ErrorIs(t, s.SendContext(ctx, "late"), context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(start))

		// What was given up is not sent.
		go func() { _ = s.Shutdown(context.Background()) }()
		scan := bufio.NewScanner(peer)
		for i := range n {
			require.True(t, scan.Scan())
			require.Equal(t, fmt.Sprint(i), scan.Text())
		}
		require.False(t, scan.Scan())
	})
}

func TestSendContextDoesNotBeginWhenItsContextIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		s.QueueSize = 2
		spawn(t, s)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		assert.ErrorIs(t, s.SendContext(ctx, "never"), context.Canceled)

		require.NoError(t, s.SendContext(noContext, "a"), "nil never ends")
		require.NoError(t, s.SendContext(context.Background(), "b"))
		r := bufio.NewReader(peer)
		assert.Equal(t, "a", readLine(t, r))
		assert.Equal(t, "b", readLine(t, r))
	})
}

func TestBlockedSendEndsWithTheSession(t *testing.T) {
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		end   func(*lines)
		cause error
	}{
		"Close":    {end: func(s *lines) { _ = s.Close() }},
		"Shutdown": {end: func(s *lines) { go func() { _ = s.Shutdown(context.Background()) }() }},
		"error": {
			end:   func(s *lines) { s.Go(func(context.Context) error { return broken }) },
			cause: broken,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := newLines(t)
				spawn(t, s)
				fill(t, s)

				sent := make(chan error, 2)
				go func() { sent <- s.Send("blocked") }()
				go func() { sent <- s.SendContext(context.Background(), "blocked") }()
				synctest.Wait()
				require.Empty(t, sent)
				tc.end(s)
				synctest.Wait()
				require.Len(t, sent, 2)
				for range 2 {
					err := <-sent
					assert.ErrorIs(t, err, stream.ErrClosed)
					if tc.cause != nil {
						assert.ErrorIs(t, err, tc.cause)
					}
				}
			})
		})
	}
}

func TestSendAfterTheEndMatchesErrClosed(t *testing.T) {
	s, _ := newLines(t)
	s.QueueSize = 4
	spawn(t, s)
	require.NoError(t, s.Close())
	require.NoError(t, s.Wait())
	for _, err := range []error{
		s.Send("x"),
		s.TrySend("x"),
		s.SendContext(context.Background(), "x"),
	} {
		assert.ErrorIs(t, err, stream.ErrClosed)
		assert.ErrorIs(t, err, lifecycle.ErrClosed)
		assert.ErrorIs(t, err, net.ErrClosed)
		assert.ErrorIs(t, err, fs.ErrClosed)
		assert.ErrorContains(t, err, "stream: ")
	}
}

func TestTrySendAfterTheEndOfAFullSessionMatchesErrClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newLines(t)
		spawn(t, s)
		fill(t, s)
		require.NoError(t, s.Close())
		assert.ErrorIs(t, s.TrySend("x"), stream.ErrClosed)
	})
}

func TestPeerThatStopsReadingOverTCPFillsTheQueue(t *testing.T) {
	conn, _ := tcpPair(t)
	s := linesOver(t, conn)
	s.QueueSize = 4
	spawn(t, s)

	big := string(make([]byte, 1<<20))
	// The kernel takes some megabytes before it has enough, and a slow machine may
	// time out before that.
	full := func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		err := s.SendContext(ctx, big)
		return errors.Is(err, context.DeadlineExceeded) && errors.Is(s.TrySend(big), stream.ErrQueueFull)
	}
	for i := 0; !full(); i++ {
		require.Less(t, i, 1000)
		require.NoError(t, s.Err())
	}

	sent := make(chan error)
	go func() { sent <- s.Send(big) }()
	require.NoError(t, s.Close())
	assert.ErrorIs(t, <-sent, stream.ErrClosed)
	assert.NoError(t, s.Wait())
}

// TestEveryMessageOfEightSendersArrivesWhole has them mix all ways to send, in
// messages of many sizes, and Shutdown right after.
func TestEveryMessageOfEightSendersArrivesWhole(t *testing.T) {
	const senders, each = 8, 500
	conn, peer := tcpPair(t)
	s := linesOver(t, conn)
	s.QueueSize = 16
	spawn(t, s)

	pad := string(make([]byte, 700))
	var wg sync.WaitGroup
	for id := range senders {
		wg.Go(func() {
			for i := range each {
				m := fmt.Sprintf("%d %d %s", id, i, pad[:(id*131+i*17)%700])
				assert.NoError(t, sendSomehow(s, i, m))
			}
		})
	}
	done := make(chan error)
	go func() {
		wg.Wait()
		done <- s.Shutdown(context.Background())
	}()

	var next [senders]int
	scan := bufio.NewScanner(peer)
	for scan.Scan() {
		var id, i int
		_, err := fmt.Sscanf(scan.Text(), "%d %d", &id, &i)
		require.NoError(t, err)
		require.Equal(t, next[id], i, "sender %d", id)
		require.Equal(t, fmt.Sprintf("%d %d %s", id, i, pad[:(id*131+i*17)%700]), scan.Text())
		next[id]++
	}
	require.NoError(t, scan.Err())
	require.NoError(t, <-done)
	for id, n := range next {
		assert.Equal(t, each, n, "sender %d", id)
	}
}

// sendSomehow sends m, in a way that depends on i.
func sendSomehow(s *lines, i int, m string) error {
	switch i % 3 {
	case 0:
		if err := s.TrySend(m); !errors.Is(err, stream.ErrQueueFull) {
			return err
		}
		return s.Send(m)
	case 1:
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		return s.SendContext(ctx, m)
	default:
		return s.Send(m)
	}
}

func TestQueuedMessagesShareAWriteUnlessThereIsAHookAroundEach(t *testing.T) {
	hook := func() error { return nil }
	for name, tc := range map[string]struct {
		edit        func(*lines)
		least, most int
	}{
		"no hook":            {func(*lines) {}, 1, 3},
		"SetWriteDeadline":   {func(s *lines) { s.SetWriteDeadline = hook }, 101, 101},
		"UnsetWriteDeadline": {func(s *lines) { s.UnsetWriteDeadline = hook }, 101, 101},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, peer := net.Pipe()
				closing(t, peer)
				counted := &countingConn{Conn: conn}
				s := linesOver(t, counted)
				s.QueueSize = 100
				tc.edit(s)
				spawn(t, s)
				fill(t, s)
				go func() { _ = s.Shutdown(context.Background()) }()
				scan := bufio.NewScanner(peer)
				n := 0
				for scan.Scan() {
					n++
				}
				assert.Equal(t, 101, n)
				assert.GreaterOrEqual(t, counted.writes, tc.least)
				assert.LessOrEqual(t, counted.writes, tc.most)
			})
		})
	}
}

// countingConn counts the Writes of one goroutine.
type countingConn struct {
	net.Conn
	writes int
}

func (c *countingConn) Write(b []byte) (int, error) {
	c.writes++
	return c.Conn.Write(b)
}

// heap is what is in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestQueueForgetsABurstOnceItIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type large [1024]byte
		const burst = 1 << 14
		conn, peer := net.Pipe()
		closing(t, peer)
		s := &stream.StreamSession[string, large]{
			Conn:      closing(t, conn),
			QueueSize: 2 * burst,
			MarshalTo: func(_ large, w io.Writer) error {
				_, err := w.Write([]byte{0})
				return err
			},
			Unmarshal: func([]byte) (string, error) { return "", nil },
		}
		before := heap()
		spawn(t, s)
		require.NoError(t, s.Send(large{}))
		for range 2 { // the second one waits while the first is written
			synctest.Wait()
			for range burst {
				require.NoError(t, s.Send(large{}))
			}
			_, err := io.CopyN(io.Discard, peer, 1)
			require.NoError(t, err)
		}
		_, err := io.CopyN(io.Discard, peer, 2*burst-1)
		require.NoError(t, err)
		synctest.Wait()
		assert.Less(t, heap(), before+burst*uint64(len(large{}))/4)
	})
}

func TestQueueForgetsAMessageThatIsWrittenWhileOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const number, size, written = 32, 1 << 20, 32 << 10 // so that each has a Write of its own
		conn, peer := net.Pipe()
		closing(t, peer)
		s := &stream.StreamSession[string, []byte]{
			Conn:      closing(t, conn),
			QueueSize: number,
			Marshal:   func(b []byte) ([]byte, error) { return b[:written], nil },
			Unmarshal: func([]byte) (string, error) { return "", nil },
		}
		before := heap()
		spawn(t, s)
		require.NoError(t, s.Send(make([]byte, size)))
		synctest.Wait() // so that all others are taken together
		for range number {
			require.NoError(t, s.Send(make([]byte, size)))
		}
		_, err := io.CopyN(io.Discard, peer, number*written)
		require.NoError(t, err)
		synctest.Wait() // one is left
		assert.Less(t, heap(), before+number*size/4)
	})
}

func TestWorkersOwnFailureBesideWhatSendSaidIsTold(t *testing.T) {
	own := errors.New("disk full")
	for name, tt := range map[string]struct {
		fail func(error) error
		want error
	}{
		"wrapped":        {func(err error) error { return fmt.Errorf("heartbeat: %w", err) }, nil},
		"with its like":  {func(err error) error { return errors.Join(err, err) }, nil},
		"with a failure": {func(err error) error { return errors.Join(own, err) }, own},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, peer := newLines(t)
				s.QueueSize = 3
				spawn(t, s)
				fill(t, s)
				s.Go(func(context.Context) error { return tt.fail(s.Send("more")) })
				synctest.Wait()
				done := make(chan error, 1)
				go func() { done <- s.Shutdown(context.Background()) }()
				synctest.Wait()
				go func() { _, _ = io.Copy(io.Discard, peer) }()
				assert.ErrorIs(t, <-done, tt.want)
			})
		})
	}
}

func TestWorkerThatSendTurnsAwayAtTheVeryMomentOfAShutdownFailsNothing(t *testing.T) {
	for range 50 {
		conn, peer := net.Pipe()
		s := linesOver(t, conn)
		s.QueueSize = 1 << 20 // always room
		require.NoError(t, s.Spawn())
		var sending sync.WaitGroup
		for range 4 {
			sending.Add(1)
			first := sync.OnceFunc(sending.Done)
			s.Go(func(context.Context) error {
				for {
					err := s.Send("x")
					first()
					if err != nil {
						return err
					}
				}
			})
		}
		sending.Wait()
		go func() { _, _ = io.Copy(io.Discard, peer) }()
		require.NoError(t, s.Shutdown(context.Background()))
		_ = peer.Close()
	}
}

// bufferedConn is a net.Conn behind buffers.
type bufferedConn struct {
	*bufio.ReadWriter
	io.Closer
}

func TestConnThatHasBuffersIsFlushed(t *testing.T) {
	client, server := net.Pipe()
	s := linesOver(t, bufferedConn{bufio.NewReadWriter(bufio.NewReader(client), bufio.NewWriter(client)), client})
	spawn(t, s)
	answers := bufio.NewReader(closing(t, server))
	for _, line := range []string{"one", "two"} {
		require.NoError(t, s.Send(line))
		assert.Equal(t, line, readLine(t, answers))
	}
	require.NoError(t, server.Close())
	require.NoError(t, s.Wait())
}

// brokenFlush takes everything, and gets rid of nothing.
type brokenFlush struct {
	net.Conn
	err error
}

func (brokenFlush) Write(b []byte) (int, error) { return len(b), nil }
func (c brokenFlush) Flush() error              { return c.err }

func TestFlushThatFailsEndsTheSession(t *testing.T) {
	client, server := net.Pipe()
	closing(t, server)
	own := errors.New("own")
	s := linesOver(t, brokenFlush{client, own})
	spawn(t, s)
	_ = s.Send("one")
	require.ErrorIs(t, s.Wait(), own)
}

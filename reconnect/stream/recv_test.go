package stream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect/stream"
)

func TestRecvAndNextShareTheMessagesInOrder(t *testing.T) {
	s, peer := newLines(t)
	spawn(t, s)
	go write(peer, "a\nb\n\nd\n")
	assert.Equal(t, "a", <-s.Recv())
	m, ok := s.Next()
	assert.True(t, ok)
	assert.Equal(t, "b", m)
	assert.Equal(t, "", <-s.Recv(), "an empty line is a message")
	m, _ = s.Next()
	assert.Equal(t, "d", m)
}

func TestMessagesBeforeEOFAreDeliveredAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// More than the session reads ahead.
		var want []string
		for i := range 100 {
			want = append(want, fmt.Sprint(i))
		}
		s, peer := newLines(t)
		spawn(t, s)
		go func() {
			write(peer, strings.Join(want, "\n"))
			_ = peer.Close()
		}()
		synctest.Wait()
		assert.Equal(t, want, rest(s))
		assert.NoError(t, s.Wait())
	})
}

func TestMessagesDecodedBeforeAnErrorAreDeliveredAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		spawn(t, s)
		write(peer, "a\nb\n")
		synctest.Wait()
		broken := errors.New("broken")
		s.Go(func(context.Context) error { return broken })
		assert.ErrorIs(t, s.Wait(), broken)
		assert.Equal(t, []string{"a", "b"}, rest(s))
	})
}

func TestEOFEndsTheSessionWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		s.OnError = func(err error) { t.Errorf("OnError: %v", err) }
		spawn(t, s)
		write(peer, "whole\nhalf")
		require.NoError(t, peer.Close())
		assert.NoError(t, s.Wait())
		assert.NoError(t, s.Err())
		assert.True(t, ended(s.Done()))
		assert.Equal(t, []string{"whole", "half"}, rest(s), "lines accept a last one without its end")
		_, ok := s.Next()
		assert.False(t, ok)
		assert.ErrorIs(t, s.Send("x"), stream.ErrClosed)
	})
}

func TestHalfClosedPeerStillGetsWhatWasQueued(t *testing.T) {
	conn, peer := tcpPair(t)
	s := linesOver(t, conn)
	s.QueueSize = 8
	hold := make(chan struct{})
	s.SetWriteDeadline = func() error { <-hold; return nil }
	spawn(t, s)
	for i := range 8 {
		require.NoError(t, s.Send(fmt.Sprint(i)))
	}
	require.NoError(t, peer.CloseWrite())
	_, ok := s.Next()
	require.False(t, ok)
	close(hold)

	scan := bufio.NewScanner(peer)
	for i := range 8 {
		require.True(t, scan.Scan())
		assert.Equal(t, fmt.Sprint(i), scan.Text())
	}
	assert.False(t, scan.Scan())
	assert.NoError(t, s.Wait())
}

func TestHalfCloseLetsTheLastAnswersOut(t *testing.T) {
	conn, peer := tcpPair(t)
	s := linesOver(t, conn)
	s.HalfClose = true
	spawn(t, s)
	done := make(chan error)
	go func() {
		for m := range s.Recv() {
			if err := s.Send("re: " + m); err != nil {
				done <- err
				return
			}
		}
		done <- s.Shutdown(context.Background())
	}()

	write(peer, "a\nb\nc\n")
	require.NoError(t, peer.CloseWrite())
	got, err := io.ReadAll(peer)
	require.NoError(t, err)
	assert.Equal(t, "re: a\nre: b\nre: c\n", string(got))
	assert.NoError(t, <-done)
}

func TestResetInMidMessageIsAnErrorAndNoMessage(t *testing.T) {
	conn, peer := tcpPair(t)
	s := linesOver(t, conn)
	spawn(t, s)
	write(peer, "whole\nhal")
	require.Equal(t, "whole", <-s.Recv())
	require.NoError(t, peer.SetLinger(0))
	require.NoError(t, peer.Close())

	assert.ErrorIs(t, s.Wait(), syscall.ECONNRESET)
	assert.Empty(t, rest(s), "half a line")
}

func TestCancelInMidMessageEndsWellAndGivesNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		// On an end by itself this one says EOF, as if all had been said.
		s.Conn = eofWhenClosed{s.Conn}
		ctx, cancel := context.WithCancel(context.Background())
		s.Context = ctx
		spawn(t, s)
		write(peer, "whole\nhal")
		synctest.Wait()
		cancel()
		assert.NoError(t, s.Wait())
		assert.Equal(t, []string{"whole"}, rest(s))
	})
}

func TestEndOfAConnThatSaysEOFWhenClosedIsNotThePeersEnd(t *testing.T) {
	for name, end := range map[string]func(*lines, context.CancelCauseFunc){
		"EOF of a worker": func(s *lines, _ context.CancelCauseFunc) {
			s.Go(func(context.Context) error { return io.EOF })
		},
		"EOF of Context": func(_ *lines, cancel context.CancelCauseFunc) { cancel(io.EOF) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, peer := newLines(t)
				s.Conn = eofWhenClosed{s.Conn}
				ctx, cancel := context.WithCancelCause(t.Context())
				s.Context = ctx
				spawn(t, s)
				write(peer, "whole\nhal")
				synctest.Wait()
				end(s, cancel)
				_ = s.Wait()
				assert.Equal(t, []string{"whole"}, rest(s))
			})
		})
	}
}

// eofWhenClosed answers with io.EOF where net.Conns have errors of their own.
type eofWhenClosed struct{ io.ReadWriteCloser }

func (c eofWhenClosed) Read(b []byte) (int, error) {
	n, err := c.ReadWriteCloser.Read(b)
	if err != nil {
		err = io.EOF
	}
	return n, err
}

// TestErrTellsWhyNextGivesNoMore is for loops like that over a bufio.Scanner.
func TestErrTellsWhyNextGivesNoMore(t *testing.T) {
	broken := errors.New("broken")
	for name, fail := range map[string]func(*lines, *net.TCPConn){
		"reset":    func(_ *lines, peer *net.TCPConn) { _ = peer.SetLinger(0); _ = peer.Close() },
		"too long": func(_ *lines, peer *net.TCPConn) { write(peer, strings.Repeat("x", 200)) },
		"error":    func(_ *lines, peer *net.TCPConn) { write(peer, "error\n") },
		"panic":    func(_ *lines, peer *net.TCPConn) { write(peer, "panic\n") },
		"Goexit":   func(_ *lines, peer *net.TCPConn) { write(peer, "Goexit\n") },
		"worker":   func(s *lines, _ *net.TCPConn) { s.Go(func(context.Context) error { return broken }) },
	} {
		t.Run(name, func(t *testing.T) {
			for range 100 {
				conn, peer := tcpPair(t)
				s := linesOver(t, conn)
				s.MaxMessageSize = 100
				s.Split = func(data []byte, atEOF bool) (int, []byte, error) {
					if len(data) >= 200 {
						return 0, nil, bufio.ErrTooLong
					}
					return bufio.ScanLines(data, atEOF)
				}
				s.Unmarshal = func(b []byte) (string, error) {
					switch string(b) {
					case "error":
						return "", broken
					case "panic":
						panic(broken)
					case "Goexit":
						goexit()
					}
					return string(b), nil
				}
				spawn(t, s)
				fail(s, peer)
				_, ok := s.Next()
				require.False(t, ok)
				err := s.Err()
				require.Error(t, err)
				require.Equal(t, s.Wait(), err)
			}
		})
	}
}

func TestReadTimeoutIsTheErrorOfTheSession(t *testing.T) {
	conn, peer := tcpPair(t)
	s := linesOver(t, conn)
	s.SetReadDeadline = func() error { return conn.SetReadDeadline(past()) }
	spawn(t, s)
	write(peer, "half")
	err := s.Wait()
	assert.ErrorContains(t, err, "stream: read: ")
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())
	assert.Empty(t, rest(s))
}

func TestConsumerThatIsGoneDoesNotKeepTheSession(t *testing.T) {
	broken := errors.New("broken")
	for name, end := range map[string]struct {
		end  func(*lines, context.CancelFunc)
		want error
	}{
		"Close":   {func(s *lines, _ context.CancelFunc) { _ = s.Close() }, nil},
		"Context": {func(_ *lines, cancel context.CancelFunc) { cancel() }, nil},
		"Shutdown": {func(s *lines, _ context.CancelFunc) {
			go func() { _ = s.Shutdown(context.Background()) }()
		}, nil},
		"error": {func(s *lines, _ context.CancelFunc) {
			s.Go(func(context.Context) error { return broken })
		}, broken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				s, peer := newLines(t)
				s.Context = ctx
				require.NoError(t, s.Spawn())
				flooded := make(chan struct{})
				go func() {
					defer close(flooded)
					write(peer, strings.Repeat("flood\n", 100_000))
				}()
				synctest.Wait()
				require.False(t, ended(flooded), "the peer is held back")

				end.end(s, cancel)
				assert.ErrorIs(t, s.Wait(), end.want)
				<-flooded
				assert.NotEmpty(t, rest(s), "and the channel is closed")
			})
		})
	}
}

func TestUnmarshalErrorEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("bad number")
		s, peer := newLines(t)
		var told []error
		s.OnError = func(err error) { told = append(told, err) }
		s.Unmarshal = func(b []byte) (string, error) {
			if string(b) == "bad" {
				return "", bad
			}
			return string(b), nil
		}
		spawn(t, s)
		write(peer, "good\nbad\nnever\n")
		err := s.Wait()
		assert.ErrorIs(t, err, bad)
		assert.ErrorContains(t, err, "stream: Unmarshal: ")
		assert.Equal(t, []error{err}, told)
		assert.Equal(t, []string{"good"}, rest(s))
	})
}

func TestUnmarshalCannotReachTheNextMessage(t *testing.T) {
	s, peer := newLines(t)
	s.Unmarshal = func(b []byte) (string, error) {
		return string(append(b, "!!!!"...)), nil
	}
	spawn(t, s)
	go write(peer, "one\ntwo\n")
	assert.Equal(t, "one!!!!", <-s.Recv())
	assert.Equal(t, "two!!!!", <-s.Recv())
}

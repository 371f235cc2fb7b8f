package stream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/reconnect/stream"
	"darvaza.org/x/net/testutil"
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

// overAClient runs one session on a connection of a client's to serve, and gives its
// error: once over the client, and once over the connection itself.
func overAClient(t *testing.T, serve func(*net.TCPConn), session func(context.Context, *lines) error, want error) {
	for _, over := range []string{"connection", "client"} {
		t.Run(over, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			served := make(chan struct{})
			go func() {
				defer close(served)
				conn, err := l.Accept()
				if assert.NoError(t, err) {
					serve(conn.(*net.TCPConn))
					_ = conn.Close()
				}
			}()
			t.Cleanup(func() { _ = l.Close(); <-served })

			var client *reconnect.Client
			ended := make(chan error, 1)
			client, err = reconnect.New(&reconnect.Config{
				Remote:       l.Addr().String(),
				ReadTimeout:  -1,
				WriteTimeout: -1,
				OnSession: func(ctx context.Context) error {
					s := linesOver(t, client)
					if over == "connection" {
						s.Conn = reconnect.ConnFrom(ctx)
					}
					s.Context = ctx
					ended <- session(ctx, s)
					return reconnect.ErrDoNotReconnect
				},
			})
			require.NoError(t, err)
			require.NoError(t, client.Connect())
			assert.ErrorIs(t, <-ended, want)
			<-served
			assert.NoError(t, client.Wait())
		})
	}
}

func TestWhatIsQueuedWhenThePeerEndsItsStreamIsWrittenOverAClientToo(t *testing.T) {
	const answers, size = 3, 3 << 20 // more than is on its way at a time
	sent := make(chan struct{}, 1)
	overAClient(t, func(conn *net.TCPConn) {
		write(conn, "ask\n")
		<-sent
		assert.NoError(t, conn.CloseWrite())
		b, err := io.ReadAll(conn)
		assert.NoError(t, err)
		assert.Len(t, b, answers*(size+1))
	}, func(_ context.Context, s *lines) error {
		s.QueueSize = answers
		spawn(t, s)
		_, ok := s.Next()
		assert.True(t, ok)
		for range answers {
			assert.NoError(t, s.Send(strings.Repeat("x", size)))
		}
		sent <- struct{}{}
		return s.Wait()
	}, nil)
}

func TestFrameThatIsCutOffIsAnErrorOverAClientToo(t *testing.T) {
	overAClient(t, func(conn *net.TCPConn) {
		write(conn, frame("one")+frame("two")[:5])
	}, func(_ context.Context, s *lines) error {
		s.Split = stream.SplitFrame
		spawn(t, s)
		assert.Equal(t, []string{"one"}, rest(s))
		return s.Wait()
	}, io.ErrUnexpectedEOF)
}

func TestClientOutlivesAServerThatDiesInTheMiddleOfALine(t *testing.T) {
	var died atomic.Bool
	server := testutil.NewServer(t, "tcp", func(conn net.Conn) {
		if died.CompareAndSwap(false, true) {
			write(conn, `{"text":"ye`)
			return
		}
		write(conn, `{"text":"yes"}`+"\n")
		_, _ = io.Copy(io.Discard, conn)
	})
	type answer struct{ Text string }
	client, err := reconnect.New(&reconnect.Config{
		Remote:        server.Remote(),
		WaitReconnect: func(context.Context) error { return nil },
		OnSession: func(ctx context.Context) error {
			s := &stream.StreamSession[answer, answer]{
				Conn:      reconnect.ConnFrom(ctx),
				Context:   ctx,
				MarshalTo: stream.MarshalJSON[answer],
				Unmarshal: stream.UnmarshalJSON[answer],
			}
			spawn(t, s)
			if a, ok := s.Next(); ok {
				assert.Equal(t, "yes", a.Text)
				assert.NoError(t, s.Close())
				assert.NoError(t, s.Wait())
				return reconnect.ErrDoNotReconnect
			}
			return s.Wait()
		},
	})
	require.NoError(t, err)
	require.NoError(t, client.Connect())
	assert.NoError(t, client.Wait())
	assert.EqualValues(t, 2, client.Status().Sessions)
}

func TestWhoIsSlowToReceiveGetsTheLastMessageOverAClientToo(t *testing.T) {
	const n = 16 // as many as are read ahead
	overAClient(t, func(conn *net.TCPConn) {
		write(conn, strings.Repeat("line\n", n)+"last")
	}, func(ctx context.Context, s *lines) error {
		spawn(t, s)
		if s.Conn != reconnect.ConnFrom(ctx) {
			<-ctx.Done() // the end is known while most is still to be received
		}
		msgs := rest(s)
		assert.Len(t, msgs, n+1)
		assert.Equal(t, "last", msgs[len(msgs)-1])
		return s.Wait()
	}, nil)
}

func TestWhoReceivesAtThePeersEndHasTwoSecondsForAMessage(t *testing.T) {
	for pause, want := range map[time.Duration]int{1900 * time.Millisecond: 17, 2100 * time.Millisecond: 16} {
		t.Run(pause.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(context.Background())
				s, peer := newLines(t)
				s.Context = ctx
				s.Conn = endingRead{s.Conn.(net.Conn), cancel}
				spawn(t, s)
				go func() {
					write(peer, strings.Repeat("line\n", 16)+"last")
					_ = peer.Close()
				}()
				<-ctx.Done()
				time.Sleep(pause)
				assert.Len(t, rest(s), want)
				assert.NoError(t, s.Wait())
			})
		})
	}
}

// endingRead is a conn whose context ends with its stream.
type endingRead struct {
	net.Conn
	cancel context.CancelCauseFunc
}

func (c endingRead) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == io.EOF {
		c.cancel(io.EOF)
	}
	return n, err
}

func TestConnHasTwoSecondsToComeToItsEndWithContext(t *testing.T) {
	for late, want := range map[time.Duration][]string{1900 * time.Millisecond: {"late"}, 2100 * time.Millisecond: nil} {
		t.Run(late.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(context.Background())
				s, peer := newLines(t)
				s.Context = ctx
				spawn(t, s)
				cancel(io.EOF)
				time.Sleep(late)
				write(peer, "late")
				require.NoError(t, peer.Close())
				assert.Equal(t, want, rest(s))
				assert.NoError(t, s.Wait())
			})
		})
	}
}

// twoWays is a conn whose ends end on their own.
type twoWays struct {
	io.Reader
	io.Writer
}

func (c twoWays) Close() error {
	for _, end := range []any{c.Reader, c.Writer} {
		if end, ok := end.(io.Closer); ok {
			_ = end.Close()
		}
	}
	return nil
}

func TestWhatIsQueuedWhenThePeerEndsItsStreamMayTakeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, feed := io.Pipe()
		out, w := io.Pipe()
		ctx, cancel := context.WithCancelCause(context.Background())
		s := linesOver(t, twoWays{in, w})
		s.Context, s.QueueSize = ctx, 3
		spawn(t, s)
		for _, m := range []string{"a", "b", "c"} {
			require.NoError(t, s.Send(m))
		}
		synctest.Wait()
		require.NoError(t, feed.Close())
		cancel(io.EOF)
		time.Sleep(time.Minute)
		b, err := io.ReadAll(out)
		assert.NoError(t, err)
		assert.Equal(t, "a\nb\nc\n", string(b))
		assert.NoError(t, s.Wait())
	})
}

func TestSessionWithHalfCloseEndsAtOnceWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		s, _ := newLines(t)
		s.Context, s.HalfClose = ctx, true
		spawn(t, s)
		start := time.Now()
		cancel(io.EOF)
		assert.NoError(t, s.Wait())
		assert.Zero(t, time.Since(start))
	})
}

func TestCloseAtThePeersEndIsAtOnce(t *testing.T) {
	for name, came := range map[string]string{"silence": "", "messages that nobody takes": strings.Repeat("line\n", 40)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(context.Background())
				s, peer := newLines(t)
				s.Context = ctx
				spawn(t, s)
				go write(peer, came)
				synctest.Wait()
				cancel(io.EOF)
				synctest.Wait()
				start := time.Now()
				assert.NoError(t, s.Close())
				assert.NoError(t, s.Wait())
				assert.Zero(t, time.Since(start))
			})
		})
	}
}

func TestWhoStopsToReceiveWithContextDoesNotHoldUpTheEndForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		s, peer := newLines(t)
		s.Context = ctx
		spawn(t, s)
		go func() {
			write(peer, strings.Repeat("line\n", 40))
			_ = peer.Close()
		}()
		synctest.Wait()
		cancel(io.EOF)
		start := time.Now()
		assert.NoError(t, s.Wait())
		assert.LessOrEqual(t, time.Since(start), 3*time.Second)
	})
}

func TestWorkerThatReturnsWhyContextEndedDoesNotCutThePeersEndShort(t *testing.T) {
	const size = 6 << 20 // more than is on its way at a time
	sent := make(chan struct{}, 1)
	overAClient(t, func(conn *net.TCPConn) {
		<-sent
		assert.NoError(t, conn.CloseWrite())
		b, err := io.ReadAll(conn)
		assert.NoError(t, err)
		assert.Len(t, b, size+1)
	}, func(ctx context.Context, s *lines) error {
		spawn(t, s)
		s.Go(func(own context.Context) error {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-own.Done():
				return nil
			}
		})
		assert.NoError(t, s.Send(strings.Repeat("x", size)))
		sent <- struct{}{}
		return s.Wait()
	}, nil)
}

func TestHalfCloseOverAClientLivesOnWithoutItsContext(t *testing.T) {
	overAClient(t, func(conn *net.TCPConn) {
		write(conn, "one\ntwo\n")
		assert.NoError(t, conn.CloseWrite())
		b, err := io.ReadAll(conn)
		assert.NoError(t, err)
		assert.Equal(t, "re: one\nre: two\n", string(b))
	}, func(_ context.Context, s *lines) error {
		s.HalfClose = true
		s.Context = nil
		spawn(t, s)
		for _, m := range rest(s) {
			assert.NoError(t, s.Send("re: "+m))
		}
		return s.Shutdown(context.Background())
	}, nil)
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

// A contextConn ends the session's Context in its second Read, which then says
// io.EOF. A Write waits until that is over, and finds the conn closed.
type contextConn struct {
	cause  error
	cancel context.CancelCauseFunc
	reads  int
	over   chan struct{}
}

func (c *contextConn) Read(p []byte) (int, error) {
	switch c.reads++; c.reads {
	case 1:
		return copy(p, "half"), nil
	case 2:
		c.cancel(c.cause)
	}
	return 0, io.EOF
}

func (c *contextConn) Write([]byte) (int, error) {
	<-c.over
	return 0, net.ErrClosed
}

func (*contextConn) Close() error { return nil }

func TestEOFOfAConnWhoseContextIsOverIsNotThePeersEnd(t *testing.T) {
	for range 50 {
		broken := errors.New("broken")
		ctx, cancel := context.WithCancelCause(t.Context())
		s := linesOver(t, &contextConn{cause: broken, cancel: cancel})
		s.Context = ctx
		spawn(t, s)
		assert.Empty(t, rest(s))
		assert.Equal(t, broken, s.Wait())
	}
}

func TestConnThatIsClosedDuringThePeersEndIsNoFailure(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	conn := &contextConn{cause: io.EOF, cancel: cancel, over: make(chan struct{})}
	s := linesOver(t, conn)
	s.Context = ctx
	sent := make(chan struct{})
	s.Unmarshal = func(b []byte) (string, error) { // the end of the stream has come by now
		<-sent
		close(conn.over)
		return string(b), nil
	}
	s.OnError = func(err error) { t.Errorf("OnError: %v", err) }
	spawn(t, s)
	assert.NoError(t, s.Send("more"))
	close(sent)
	assert.Equal(t, []string{"half"}, rest(s))
	assert.NoError(t, s.Wait())
}

func TestHooksErrorAtThePeersEndIsToldWhateverItMatches(t *testing.T) {
	own := fmt.Errorf("upstream: %w", net.ErrClosed)
	overAClient(t, func(conn *net.TCPConn) {
		write(conn, "one\nlast")
	}, func(_ context.Context, s *lines) error {
		s.Unmarshal = func(b []byte) (string, error) {
			if string(b) == "last" {
				return "", own
			}
			return string(b), nil
		}
		spawn(t, s)
		rest(s)
		return s.Wait()
	}, own)
}

func TestWorkerThatIsCutShortByTheEndOfContextEndsNothingAtThePeersEnd(t *testing.T) {
	const size = 6 << 20 // more than is on its way at a time
	for name, work := range map[string]func(context.Context) error{
		"wrapped": func(ctx context.Context) error { return fmt.Errorf("heartbeat: %w", ctx.Err()) },
		"dial": func(ctx context.Context) error {
			_, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:1")
			return fmt.Errorf("upstream: %w", err)
		},
		"look-up": func(ctx context.Context) error {
			_, err := net.DefaultResolver.LookupHost(ctx, "server.test")
			return err
		},
		"both": func(ctx context.Context) error { return errors.Join(nil, ctx.Err(), ctx.Err()) },
	} {
		t.Run(name, func(t *testing.T) {
			sent, heard := make(chan struct{}, 1), make(chan struct{}, 1)
			overAClient(t, func(conn *net.TCPConn) {
				<-sent
				assert.NoError(t, conn.CloseWrite())
				<-heard
				b, err := io.ReadAll(conn)
				assert.NoError(t, err)
				assert.Len(t, b, size+1)
			}, func(ctx context.Context, s *lines) error {
				overConnection := s.Conn == reconnect.ConnFrom(ctx)
				spawn(t, s)
				s.Go(func(context.Context) error {
					defer func() { heard <- struct{}{} }()
					if overConnection {
						return nil // nothing ends Context there
					}
					<-ctx.Done()
					err := work(ctx)
					assert.ErrorIs(t, err, context.Canceled)
					return err
				})
				assert.NoError(t, s.Send(strings.Repeat("x", size)))
				sent <- struct{}{}
				return s.Wait()
			}, nil)
		})
	}
}

func TestWorkersOwnFailureBesideTheEndOfContextIsToldAtThePeersEnd(t *testing.T) {
	const size = 6 << 20 // more than is on its way at a time, so that the session goes on
	own := errors.New("disk full")
	for _, tt := range []struct {
		name string
		fail func(end error) error
		want error
	}{
		{"joined", func(end error) error { return errors.Join(own, end) }, own},
		{"panic", func(end error) error { panic(fmt.Errorf("panic: %w", end)) }, context.Canceled},
		{"endless", func(error) error { return endless{} }, endless{}},
		{"nothing joined", func(end error) error { return fmt.Errorf("disk full%w", emptyJoin{}) }, emptyJoin{}},
	} {
		fail := tt.fail
		t.Run(tt.name, func(t *testing.T) {
			sent, heard := make(chan struct{}, 1), make(chan struct{}, 1)
			overAClient(t, func(conn *net.TCPConn) {
				<-sent
				assert.NoError(t, conn.CloseWrite())
				<-heard
				_, _ = io.Copy(io.Discard, conn)
			}, func(ctx context.Context, s *lines) error {
				overConnection := s.Conn == reconnect.ConnFrom(ctx)
				spawn(t, s)
				s.Go(func(context.Context) error {
					defer func() { heard <- struct{}{} }()
					if overConnection {
						return fail(context.Canceled) // nothing ends Context there
					}
					<-ctx.Done()
					return fail(ctx.Err())
				})
				_ = s.Send(strings.Repeat("x", size))
				sent <- struct{}{}
				return s.Wait()
			}, tt.want)
		})
	}
}

// emptyJoin is an error that joins none.
type emptyJoin struct{}

func (emptyJoin) Error() string   { return "" }
func (emptyJoin) Unwrap() []error { return nil }

// endless is an error that wraps itself.
type endless struct{}

func (endless) Error() string   { return "endless" }
func (endless) Unwrap() error   { return endless{} }
func (endless) Is(e error) bool { return e == endless{} }

func TestSplitsErrorAtThePeersEndIsToldWhateverItMatches(t *testing.T) {
	own := fmt.Errorf("upstream: %w", net.ErrClosed)
	overAClient(t, func(conn *net.TCPConn) {
		write(conn, "one\nlast")
	}, func(_ context.Context, s *lines) error {
		s.Split = func(data []byte, atEOF bool) (int, []byte, error) {
			if atEOF && len(data) > 0 {
				return 0, nil, own
			}
			return bufio.ScanLines(data, atEOF)
		}
		spawn(t, s)
		rest(s)
		return s.Wait()
	}, own)
}

package stream_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/worker"
)

// echoLines answers each line, and gives how many came when it couldn't go on, or
// the peer had ended its stream.
func echoLines(conn net.Conn) (n int) {
	defer conn.Close()
	for scan := bufio.NewScanner(conn); scan.Scan(); n++ {
		if _, err := fmt.Fprintln(conn, scan.Text()); err != nil {
			return n
		}
	}
	return n
}

func TestPeerThatAnswersGetsAllThatWasAcceptedBeforeAShutdown(t *testing.T) {
	const messages = 500
	for network, pair := range map[string]func(testing.TB) (net.Conn, net.Conn){
		"tcp":  func(t testing.TB) (net.Conn, net.Conn) { return tcpPair(t) },
		"unix": unixPair,
	} {
		t.Run(network, func(t *testing.T) {
			inTime(t, func() bool {
				conn, peer := pair(t)
				seen := make(chan int)
				go func() { seen <- echoLines(peer) }()
				s := linesOver(t, conn)
				spawn(t, s)
				for i := range messages {
					require.NoError(t, s.Send(fmt.Sprint(i)))
				}
				require.NoError(t, s.Shutdown(context.Background()))
				return <-seen == messages
			})
		})
	}
}

func TestPeerThatAnswersGetsAllThatWasAcceptedBeforeAShutdownOverAClientToo(t *testing.T) {
	const messages = 500
	inTime(t, func() bool {
		var seen atomic.Int64
		overAClient(t, func(conn *net.TCPConn) {
			seen.Add(int64(echoLines(conn)))
		}, func(_ context.Context, s *lines) error {
			spawn(t, s)
			for i := range messages {
				assert.NoError(t, s.Send(fmt.Sprint(i)))
			}
			return s.Shutdown(context.Background())
		}, nil)
		return seen.Load() == 2*messages
	})
}

// inTime is for what has to happen within the time of a linger, which a busy machine
// may miss now and then, and which otherwise never happens.
func inTime(t *testing.T, happens func() bool) {
	t.Helper()
	for range 10 {
		if happens() {
			return
		}
	}
	t.Error("never happens")
}

// unixPair gives both ends of a connection over a Unix socket.
func unixPair(tb testing.TB) (client, server net.Conn) {
	tb.Helper()
	path := tb.TempDir() + "/s"
	l, err := net.Listen("unix", path)
	require.NoError(tb, err)
	defer l.Close()
	c, err := net.Dial("unix", path)
	require.NoError(tb, err)
	closing(tb, c)
	s, err := l.Accept()
	require.NoError(tb, err)
	return c, closing(tb, s)
}

// half is a conn in memory that can end its half, of which the peer learns only here.
type half struct {
	net.Conn
	ended chan struct{}
	err   error
}

func (h *half) CloseWrite() error {
	close(h.ended)
	return h.err
}

func newHalf(t *testing.T) (s *lines, h *half, peer net.Conn) {
	s, peer = newLines(t)
	h = &half{Conn: s.Conn.(net.Conn), ended: make(chan struct{})}
	s.Conn = h
	return s, h, peer
}

// slowHalf is one that takes its time to end, as TLS does while the peer doesn't read.
type slowHalf struct{ *half }

func (h slowHalf) CloseWrite() error {
	time.Sleep(3 * time.Second)
	return h.half.CloseWrite()
}

func TestTimeThatTheEndOfOurHalfTakesIsNotThePeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, peer := newHalf(t)
		s.Conn = slowHalf{h}
		spawn(t, s)
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(context.Background()) }()
		go func() {
			<-h.ended
			time.Sleep(400 * time.Millisecond)
			write(peer, "late\n")
			_ = peer.Close()
		}()
		msg, ok := s.Next()
		assert.True(t, ok)
		assert.Equal(t, "late", msg)
		assert.NoError(t, <-done)
	})
}

func TestShutdownDoesNotWaitLongForAPeerThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, peer := newHalf(t)
		spawn(t, s)
		start := time.Now()
		require.NoError(t, s.Shutdown(context.Background()))
		assert.Equal(t, 500*time.Millisecond, time.Since(start))
		assert.True(t, ended(h.ended))
		_, err := peer.Write([]byte("x"))
		assert.Error(t, err, "Conn is closed")
	})
}

func TestShutdownWaitsAsLongAsThePeerIsNotSilent(t *testing.T) {
	const before, once, end = "says something before", "says something", "ends its stream"
	for what, want := range map[string]time.Duration{
		before: 500 * time.Millisecond,
		once:   time.Second,
		end:    100 * time.Millisecond,
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, h, peer := newHalf(t)
				spawn(t, s)
				if what == before {
					write(peer, "x\n")
					synctest.Wait()
				}
				go func() {
					<-h.ended
					time.Sleep(100 * time.Millisecond)
					switch what {
					case once:
						write(peer, "x\n")
					case end:
						_ = peer.Close()
					}
				}()
				start := time.Now()
				require.NoError(t, s.Shutdown(context.Background()))
				assert.Equal(t, want, time.Since(start))
			})
		})
	}
}

func TestShutdownDoesNotWaitForEverForAPeerThatGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, peer := newHalf(t)
		spawn(t, s)
		var sender sync.WaitGroup
		sender.Go(func() {
			for {
				if _, err := io.WriteString(peer, "more\n"); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
		start := time.Now()
		require.NoError(t, s.Shutdown(context.Background()))
		assert.Equal(t, 2*time.Second, time.Since(start))
		sender.Wait()
	})
}

func TestShutdownThatWaitsForThePeerGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := newHalf(t)
		spawn(t, s)
		ctx, cancel := context.WithCancel(context.Background())
		go func() { <-h.ended; cancel() }()
		start := time.Now()
		assert.Equal(t, context.Canceled, s.Shutdown(ctx))
		assert.NoError(t, s.Wait())
		assert.Zero(t, time.Since(start))
	})
}

func TestCloseEndsAShutdownThatWaitsForThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := newHalf(t)
		spawn(t, s)
		go func() { <-h.ended; _ = s.Close() }()
		start := time.Now()
		assert.NoError(t, s.Shutdown(context.Background()))
		assert.Zero(t, time.Since(start))
	})
}

func TestSessionThatIsClosedDoesNotTouchConnAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := newHalf(t)
		spawn(t, s)
		require.NoError(t, s.Close())
		require.NoError(t, s.Wait())
		assert.False(t, ended(h.ended))
	})
}

func TestConnThatCannotEndItsHalfIsClosedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := newHalf(t)
		h.err = errors.ErrUnsupported
		spawn(t, s)
		start := time.Now()
		assert.NoError(t, s.Shutdown(context.Background()))
		assert.Zero(t, time.Since(start))
	})
}

func TestThereIsNoWaitForAPeerThatHasEndedItsStream(t *testing.T) {
	for name, halfClose := range map[string]bool{"half-close": true, "whole": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, h, peer := newHalf(t)
				s.HalfClose = halfClose
				spawn(t, s)
				require.NoError(t, peer.Close())
				rest(s)
				require.NoError(t, s.Shutdown(context.Background()))
				assert.False(t, ended(h.ended))
			})
		})
	}
}

func TestAnswersToWhatWasQueuedAtAShutdownAreReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, peer := newHalf(t)
		answer := make(chan int, 1)
		go func() { answer <- echoLines(peer) }()
		s.QueueSize = 3
		spawn(t, s)
		want := []string{"one", "two", "three"}
		for _, m := range want {
			require.NoError(t, s.Send(m))
		}
		require.NoError(t, s.Shutdown(context.Background()))
		assert.Equal(t, want, rest(s))
		assert.Equal(t, len(want), <-answer)
	})
}

func TestWhatNobodyReceivesDoesNotHoldUpAShutdown(t *testing.T) {
	for name, after := range map[string]bool{"begun before": false, "begun after": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, h, peer := newHalf(t)
				spawn(t, s)
				go func() {
					if after {
						<-h.ended
					}
					for range 100 {
						_, err := io.WriteString(peer, "nobody wants it\n")
						assert.NoError(t, err)
					}
					assert.NoError(t, peer.Close())
				}()
				synctest.Wait()
				start := time.Now()
				require.NoError(t, s.Shutdown(context.Background()))
				assert.Equal(t, 250*time.Millisecond, time.Since(start))
				assert.Len(t, rest(s), 16, "what is read ahead")
			})
		})
	}
}

func TestWhoKeepsReceivingGetsAllThatComesAfterAShutdown(t *testing.T) {
	const n = 200
	for name, after := range map[string]bool{"begun before": false, "begun after": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, h, peer := newHalf(t)
				spawn(t, s)
				go func() {
					if after {
						<-h.ended
					}
					write(peer, strings.Repeat("answer\n", n))
					assert.NoError(t, peer.Close())
				}()
				synctest.Wait()
				done := make(chan error)
				go func() { done <- s.Shutdown(context.Background()) }()
				assert.Len(t, rest(s), n)
				assert.NoError(t, <-done)
			})
		})
	}
}

func TestPeerThatAnswersGetsAllThatIsQueuedThoughNobodyReceives(t *testing.T) {
	const n = 100
	synctest.Test(t, func(t *testing.T) {
		s, _, peer := newHalf(t) // without buffers each side waits for the other to read
		s.QueueSize = n
		spawn(t, s)
		seen := make(chan int)
		go func() { seen <- echoLines(peer) }()
		for i := range n {
			require.NoError(t, s.Send(fmt.Sprint(i)))
		}
		require.NoError(t, s.Shutdown(context.Background()))
		assert.Equal(t, n, <-seen)
	})
}

func TestWhatIsQueuedIsWrittenToAPeerThatGoesOnAfterAFinalToken(t *testing.T) {
	const n = 10
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		s.QueueSize = n
		s.Split = quitting
		spawn(t, s)
		for i := range n {
			require.NoError(t, s.Send(fmt.Sprint(i)))
		}
		write(peer, "quit\n"+strings.Repeat("more\n", 10000))
		for i, scan := 0, bufio.NewScanner(peer); i < n; i++ {
			require.True(t, scan.Scan())
			assert.Equal(t, fmt.Sprint(i), scan.Text())
		}
		assert.NoError(t, s.Wait())
	})
}

// quitting finds lines as far as one that says "quit".
func quitting(data []byte, atEOF bool) (int, []byte, error) {
	n, token, err := bufio.ScanLines(data, atEOF)
	if string(token) == "quit" {
		err = bufio.ErrFinalToken
	}
	return n, token, err
}

func TestReadHooksStandAroundWhatIsDroppedAfterAShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, peer := newHalf(t)
		set := 0
		s.SetReadDeadline = func() error {
			set++
			return h.SetReadDeadline(time.Now().Add(400 * time.Millisecond))
		}
		s.UnsetReadDeadline = func() error { set--; return nil }
		spawn(t, s)
		go func() {
			<-h.ended
			for range 5 {
				write(peer, strings.Repeat("nobody wants it\n", 10))
				time.Sleep(300 * time.Millisecond)
			}
			_ = peer.Close()
		}()
		start := time.Now()
		require.NoError(t, s.Shutdown(context.Background()))
		assert.Equal(t, 1500*time.Millisecond, time.Since(start))
		assert.LessOrEqual(t, set, 2, "but for what ended the messages, and the stream")
	})
}

func TestPanicAfterAShutdownIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		fail func()
		want error
	}{
		"panic":  {func() { panic(io.ErrNoProgress) }, io.ErrNoProgress},
		"Goexit": {goexit, worker.ErrGoexit},
	} {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				conn, peer := tcpPair(t)
				s := linesOver(t, conn)
				s.Unmarshal = func([]byte) (string, error) { tt.fail(); return "", nil }
				spawn(t, s)
				go func() {
					_, _ = io.Copy(io.Discard, peer) // until Shutdown
					write(peer, "x\n")
				}()
				require.ErrorIs(t, s.Shutdown(context.Background()), tt.want)
			}
		})
	}
}

func TestResetAfterAShutdownIsNoFailureOverAClientEither(t *testing.T) {
	overAClient(t, func(conn *net.TCPConn) {
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.SetLinger(0)
	}, func(_ context.Context, s *lines) error {
		s.OnError = func(err error) { t.Errorf("OnError: %v", err) }
		spawn(t, s)
		assert.NoError(t, s.Send("x"))
		return s.Shutdown(context.Background())
	}, nil)
}

func TestEndOfContextEndsAShutdownThatWaitsForThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		s, h, _ := newHalf(t)
		s.Context = ctx
		spawn(t, s)
		go func() { <-h.ended; cancel(errors.New("too late to be a failure")) }()
		start := time.Now()
		assert.NoError(t, s.Shutdown(context.Background()))
		assert.NoError(t, s.Err())
		assert.Zero(t, time.Since(start))
	})
}

func TestAnswersAreReceivedToThePeersEndAfterAShutdownOverAClientToo(t *testing.T) {
	const n = 200
	overAClient(t, func(conn *net.TCPConn) {
		_, _ = io.Copy(io.Discard, conn)
		write(conn, strings.Repeat("answer\n", n))
	}, func(_ context.Context, s *lines) error {
		spawn(t, s)
		done := make(chan error)
		go func() { done <- s.Shutdown(context.Background()) }()
		assert.Len(t, rest(s), n)
		return <-done
	}, nil)
}

func TestWhoIsNotTooSlowGetsWhatCameAfterAShutdown(t *testing.T) {
	const n = 24 // more than is read ahead
	for name, end := range map[string]func(net.Conn, context.CancelCauseFunc){
		"peer goes on":   func(net.Conn, context.CancelCauseFunc) {},
		"peer's end":     func(peer net.Conn, _ context.CancelCauseFunc) { _ = peer.Close() },
		"end of Context": func(_ net.Conn, cancel context.CancelCauseFunc) { cancel(io.EOF) },
		"both, as it is with a client": func(peer net.Conn, cancel context.CancelCauseFunc) {
			cancel(io.EOF)
			_ = peer.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				s, h, peer := newHalf(t)
				s.Context = ctx
				spawn(t, s)
				go func() {
					<-h.ended
					write(peer, strings.Repeat("answer\n", n))
					end(peer, cancel)
				}()
				done := make(chan error)
				go func() { done <- s.Shutdown(context.Background()) }()
				got := 0
				for range s.Recv() {
					got++
					time.Sleep(200 * time.Millisecond)
				}
				assert.Equal(t, n, got)
				assert.NoError(t, <-done)
			})
		})
	}
}

func TestWhatWasReadIsReceivedAlsoWhereThePeerIsGoneBeforeAShutdown(t *testing.T) {
	const n = 60
	for name, tt := range map[string]struct {
		overClient bool
		err        error
	}{
		"connection":      {false, syscall.ENOTCONN},
		"client":          {true, syscall.ENOTCONN},
		"client over TLS": {true, syscall.ECONNRESET},
	} {
		overClient := tt.overClient
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, h, peer := newHalf(t)
				h.err = tt.err
				session := func() {
					spawn(t, s)
					write(peer, strings.Repeat("answer\n", n))
					synctest.Wait()
					assert.NoError(t, peer.Close())
					done := make(chan error)
					go func() { done <- s.Shutdown(context.Background()) }()
					got := 0
					for range s.Recv() {
						got++
						time.Sleep(10 * time.Millisecond)
					}
					assert.Equal(t, n, got)
					assert.NoError(t, <-done)
				}
				if !overClient {
					session()
					return
				}
				var client *reconnect.Client
				client, err := reconnect.New(&reconnect.Config{
					Remote: "server.test:1",
					Dialer: dialerOf{h},
					OnSession: func(ctx context.Context) error {
						s.Conn, s.Context = client, ctx
						session()
						return reconnect.ErrDoNotReconnect
					},
				})
				require.NoError(t, err)
				require.NoError(t, client.Connect())
				assert.NoError(t, client.Wait())
			})
		})
	}
}

// dialerOf dials what is there.
type dialerOf struct{ conn net.Conn }

func (d dialerOf) DialContext(context.Context, string, string) (net.Conn, error) { return d.conn, nil }

func TestShutdownLeavesTimeForWhatCameWithThePeersEnd(t *testing.T) {
	const n = 100
	synctest.Test(t, func(t *testing.T) {
		s, h, peer := newHalf(t)
		s.Conn = lastRead{h}
		spawn(t, s)
		go func() { write(peer, strings.Repeat("answer\n", n)) }()
		synctest.Wait()
		done := make(chan error)
		go func() { done <- s.Shutdown(context.Background()) }()
		synctest.Wait()
		assert.Len(t, rest(s), n)
		assert.NoError(t, <-done)
		assert.False(t, ended(h.ended))
	})
}

// lastRead is a conn whose end comes with its first bytes, and that can't be read after it.
type lastRead struct{ *half }

func (c lastRead) Read(b []byte) (int, error) {
	n, err := c.half.Read(b)
	if err == nil {
		err = io.EOF
	}
	return n, err
}

func TestConnIsNotReadAfterThePeersEnd(t *testing.T) {
	for name, halfClose := range map[string]bool{"half-close": true, "whole": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, h, peer := newHalf(t)
				s.HalfClose = halfClose
				counted := &countedEnds{half: h}
				s.Conn = counted
				spawn(t, s)
				require.NoError(t, peer.Close())
				synctest.Wait()
				assert.NoError(t, s.Shutdown(context.Background()))
				assert.Equal(t, 1, counted.ends)
			})
		})
	}
}

type countedEnds struct {
	*half
	ends int
}

func (c *countedEnds) Read(b []byte) (int, error) {
	n, err := c.half.Read(b)
	if err == io.EOF {
		c.ends++
	}
	return n, err
}

func TestReadThatFailsBeforeAllIsWrittenFailsTheShutdownThoughNobodyReceives(t *testing.T) {
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		edit func(s *lines, conn net.Conn, dropping *atomic.Bool)
		want error
	}{
		"time-out": {func(s *lines, conn net.Conn, _ *atomic.Bool) {
			s.SetReadDeadline = func() error { return conn.SetReadDeadline(time.Now().Add(time.Second)) }
		}, os.ErrDeadlineExceeded},
		"SetReadDeadline": {func(s *lines, _ net.Conn, dropping *atomic.Bool) {
			s.SetReadDeadline = func() error {
				if dropping.Load() {
					return broken
				}
				return nil
			}
		}, broken},
		"UnsetReadDeadline": {func(s *lines, _ net.Conn, dropping *atomic.Bool) {
			s.UnsetReadDeadline = func() error {
				if dropping.Load() {
					return broken
				}
				return nil
			}
		}, broken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, peer := newLines(t)
				var dropping atomic.Bool
				tt.edit(s, s.Conn.(net.Conn), &dropping)
				spawn(t, s)
				require.NoError(t, s.Send("nobody reads it"))
				go write(peer, strings.Repeat("nobody wants it\n", 40))
				synctest.Wait()
				dropping.Store(true)
				var late sync.WaitGroup
				defer late.Wait()
				late.Go(func() {
					time.Sleep(500 * time.Millisecond) // when it has begun to drop
					write(peer, "nor that\n")
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				assert.ErrorIs(t, s.Shutdown(ctx), tt.want)
				assert.ErrorIs(t, s.Wait(), tt.want)
			})
		})
	}
}

func TestReadThatFailsAfterAShutdownIsNoFailureThoughNobodyReceives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, peer := newHalf(t)
		var dropping atomic.Bool
		s.UnsetReadDeadline = func() error {
			if dropping.Load() {
				return errors.New("broken")
			}
			return nil
		}
		spawn(t, s)
		var sender sync.WaitGroup
		defer sender.Wait()
		sender.Go(func() {
			<-h.ended
			write(peer, strings.Repeat("nobody wants it\n", 40))
			time.Sleep(300 * time.Millisecond)
			dropping.Store(true)
			write(peer, "nor that\n")
		})
		start := time.Now()
		assert.NoError(t, s.Shutdown(context.Background()))
		assert.Equal(t, 300*time.Millisecond, time.Since(start))
	})
}

func TestReadThatFailsAfterAShutdownEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := newHalf(t)
		s.SetReadDeadline = func() error { return h.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) }
		spawn(t, s)
		synctest.Wait()
		start := time.Now()
		require.NoError(t, s.Shutdown(context.Background()))
		assert.Equal(t, 200*time.Millisecond, time.Since(start))
	})
}

func TestEndOfContextEndsAShutdownWithHalfCloseThatWaitsForThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		s, h, _ := newHalf(t)
		s.Context = ctx
		s.HalfClose = true
		spawn(t, s)
		go func() { <-h.ended; cancel(io.EOF) }()
		start := time.Now()
		assert.NoError(t, s.Shutdown(context.Background()))
		assert.Zero(t, time.Since(start))
	})
}

// TestWhateverComesAfterAShutdownIsNoFailure has the peer do what would be one before.
func TestWhateverComesAfterAShutdownIsNoFailure(t *testing.T) {
	boom := errors.New("boom")
	for name, tt := range map[string]struct {
		edit func(*lines)
		then func(*net.TCPConn)
	}{
		"reset": {func(*lines) {}, func(peer *net.TCPConn) {
			_ = peer.SetLinger(0)
		}},
		"half a message": {func(s *lines) {
			s.Split = func(data []byte, atEOF bool) (int, []byte, error) {
				if atEOF {
					return 0, nil, boom
				}
				return bufio.ScanLines(data, atEOF)
			}
		}, func(peer *net.TCPConn) { write(peer, "ha") }},
		"nonsense": {func(s *lines) {
			s.Unmarshal = func([]byte) (string, error) { return "", boom }
		}, func(peer *net.TCPConn) { write(peer, "x\n"); write(peer, "y\n") }},
		"too long": {func(s *lines) { s.MaxMessageSize = 1 }, func(peer *net.TCPConn) {
			write(peer, "xx\n")
		}},
		"read hook": {func(s *lines) {
			s.UnsetReadDeadline = func() error { return boom }
		}, func(peer *net.TCPConn) { write(peer, "x\n") }},
	} {
		t.Run(name, func(t *testing.T) {
			conn, peer := tcpPair(t)
			s := linesOver(t, conn)
			tt.edit(s)
			s.OnError = func(err error) { t.Errorf("OnError: %v", err) }
			spawn(t, s)
			go func() {
				_, _ = io.Copy(io.Discard, peer) // until Shutdown
				tt.then(peer)
				_ = peer.Close()
			}()
			assert.NoError(t, s.Shutdown(context.Background()))
			assert.NoError(t, s.Wait())
		})
	}
}

func TestPeerIsHeardToItsEndAfterAFinalToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, peer := newHalf(t)
		s.Split = quitting
		spawn(t, s)
		write(peer, "quit\n")
		assert.Equal(t, []string{"quit"}, rest(s))
		for range 10 {
			time.Sleep(100 * time.Millisecond)
			_, err := peer.Write([]byte("more\n"))
			require.NoError(t, err)
		}
		require.NoError(t, peer.Close())
		assert.NoError(t, s.Wait())
	})
}

func TestWorkersRunWhileAShutdownWaitsForThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := newHalf(t)
		spawn(t, s)
		s.Go(func(ctx context.Context) error {
			<-h.ended
			assert.NoError(t, ctx.Err())
			<-ctx.Done()
			return ctx.Err()
		})
		assert.NoError(t, s.Shutdown(context.Background()))
	})
}

var _ interface{ CloseWrite() error } = (*reconnect.Client)(nil) // which a session over it needs

// selfSigned makes what a server of TLS needs, and whom to trust for that.
func selfSigned(t *testing.T) (server *tls.Config, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"server.test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool = x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// tlsPair gives a session over TLS in memory whose peer hasn't begun the handshake.
func tlsPair(t *testing.T) (s *lines, peer *tls.Conn) {
	t.Helper()
	config, pool := selfSigned(t)
	near, far := net.Pipe()
	closing(t, far)
	return linesOver(t, tls.Server(near, config)), tls.Client(far, &tls.Config{RootCAs: pool, ServerName: "server.test"})
}

func TestPeerOverTLSLearnsOfAShutdownBeforeTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := tlsPair(t)
		spawn(t, s)
		begin := time.Now()
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		time.Sleep(time.Second)
		_, err := peer.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
		assert.Less(t, time.Since(begin), time.Second+100*time.Millisecond)
		_, err = peer.Write([]byte("last\n"))
		require.NoError(t, err)
		msg, ok := s.Next()
		assert.True(t, ok)
		assert.Equal(t, "last", msg)
		require.NoError(t, peer.CloseWrite())
		assert.NoError(t, <-done)
		assert.Less(t, time.Since(begin), time.Second+100*time.Millisecond)
	})
}

func TestShutdownBeforeAHandshakeEndsInTime(t *testing.T) {
	for name, end := range map[string]struct {
		by    func(*lines)
		after time.Duration
	}{
		"of itself": {func(*lines) {}, 2 * time.Second},
		"by Close":  {func(s *lines) { _ = s.Close() }, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := tlsPair(t)
				spawn(t, s)
				begin := time.Now()
				time.AfterFunc(time.Second, func() { end.by(s) })
				assert.NoError(t, s.Shutdown(t.Context()))
				assert.Equal(t, end.after, time.Since(begin))
			})
		})
	}
}

func TestPeerOverAClientAndTLSLearnsOfAShutdownBeforeTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, pool := selfSigned(t)
		near, far := net.Pipe()
		got := make(chan string, 1)
		go func() {
			peer := tls.Server(far, config)
			time.Sleep(time.Second)
			_, _ = io.WriteString(peer, "hello\n")
			all, _ := io.ReadAll(peer)
			got <- string(all)
			_ = peer.Close()
		}()
		var client *reconnect.Client
		client, err := reconnect.New(&reconnect.Config{
			Remote:         "pipe:1",
			Dialer:         dialerOf{tls.Client(near, &tls.Config{RootCAs: pool, ServerName: "server.test"})},
			ReadTimeout:    -1,
			ReconnectDelay: -1,
			OnSession: func(ctx context.Context) error {
				s := linesOver(t, client)
				s.Context = ctx
				spawn(t, s)
				done := make(chan error, 1)
				go func() { done <- s.Shutdown(ctx) }()
				msg, ok := s.Next()
				assert.True(t, ok)
				assert.Equal(t, "hello", msg)
				return <-done
			},
		})
		require.NoError(t, err)
		require.NoError(t, client.Connect())
		assert.NoError(t, client.Wait())
		assert.Empty(t, <-got)
	})
}

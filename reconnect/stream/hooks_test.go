package stream_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/worker"
)

func goexit() { runtime.Goexit() }

// failingWrite fails every Write.
type failingWrite struct {
	io.ReadWriteCloser
	err error
}

func (c failingWrite) Write([]byte) (int, error) { return 0, c.err }

// log records in order what happened.
type log struct {
	mu     sync.Mutex
	events []string
}

func (l *log) hook(name string) func() error {
	return func() error {
		l.add(name)
		return nil
	}
}

func (l *log) add(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, name)
}

func (l *log) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events)
}

// loggedConn logs its Writes.
type loggedConn struct {
	net.Conn
	log *log
}

func (c loggedConn) Write(b []byte) (int, error) {
	c.log.add("write " + string(b[:len(b)-1]))
	return c.Conn.Write(b)
}

func TestReadHooksStandAroundEachMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log log
		s, peer := newLines(t)
		s.SetReadDeadline = log.hook("set")
		s.UnsetReadDeadline = log.hook("unset")
		s.Unmarshal = func(b []byte) (string, error) {
			log.add(string(b))
			return string(b), nil
		}
		spawn(t, s)
		synctest.Wait()
		require.Equal(t, []string{"set"}, log.take())
		write(peer, "a\nb\n")
		synctest.Wait()
		assert.Equal(t, []string{"set", "unset", "a", "set", "unset", "b", "set"}, log.take())
	})
}

func TestWriteHooksStandAroundEachMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log log
		s, peer := newLines(t)
		s.Conn = loggedConn{s.Conn.(net.Conn), &log}
		s.SetWriteDeadline = log.hook("set")
		s.UnsetWriteDeadline = log.hook("unset")
		s.QueueSize = 3
		spawn(t, s)
		for _, m := range []string{"a", "b", "c"} {
			require.NoError(t, s.Send(m))
		}
		r := bufio.NewReader(peer)
		for _, m := range []string{"a", "b", "c"} {
			require.Equal(t, m, readLine(t, r))
		}
		synctest.Wait()
		assert.Equal(t, []string{
			"set", "write a", "unset",
			"set", "write b", "unset",
			"set", "write c", "unset",
		}, log.take())
	})
}

// TestFailureOfAnyHookEndsTheSession has each of them fail in every way there is.
func TestFailureOfAnyHookEndsTheSession(t *testing.T) {
	broken := errors.New("broken")
	isPanic := func(t *testing.T, err error) {
		var p *core.PanicError
		assert.ErrorAs(t, err, &p)
	}
	ways := map[string]struct {
		fail func() error
		is   func(*testing.T, error)
	}{
		"error":  {func() error { return broken }, func(t *testing.T, err error) { assert.ErrorIs(t, err, broken) }},
		"panic":  {func() error { panic("boom") }, isPanic},
		"goexit": {func() error { goexit(); return nil }, func(t *testing.T, err error) { assert.ErrorIs(t, err, worker.ErrGoexit) }},
	}
	hooks := map[string]func(s *lines, fail func() error){
		"SetReadDeadline":    func(s *lines, fail func() error) { s.SetReadDeadline = fail },
		"UnsetReadDeadline":  func(s *lines, fail func() error) { s.UnsetReadDeadline = fail },
		"SetWriteDeadline":   func(s *lines, fail func() error) { s.SetWriteDeadline = fail },
		"UnsetWriteDeadline": func(s *lines, fail func() error) { s.UnsetWriteDeadline = fail },
		"Marshal": func(s *lines, fail func() error) {
			s.Marshal = func(string) ([]byte, error) { return nil, fail() }
		},
		"MarshalTo": func(s *lines, fail func() error) {
			s.MarshalTo = func(_ string, w io.Writer) error { write(w, "half"); return fail() }
		},
		"Unmarshal": func(s *lines, fail func() error) {
			s.Unmarshal = func([]byte) (string, error) { return "", fail() }
		},
		"Split": func(s *lines, fail func() error) {
			s.Split = func([]byte, bool) (int, []byte, error) { return 0, nil, fail() }
		},
	}
	for way, w := range ways {
		for name, set := range hooks {
			t.Run(name+" "+way, func(t *testing.T) {
				s, peer := newLines(t)
				told := make(chan error, 2)
				s.OnError = func(err error) { told <- err }
				set(s, w.fail)
				spawn(t, s)

				_ = s.Send("out")
				go write(peer, "in\n")
				got, _ := io.ReadAll(peer)
				err := s.Wait()
				w.is(t, err)
				require.Len(t, told, 1)
				assert.Equal(t, err, <-told)
				if way == "error" {
					assert.ErrorContains(t, err, "stream: ")
				}
				assert.Contains(t, []string{"", "out\n"}, string(got), "no half message")
			})
		}
	}
}

func TestMarshalErrorComesAfterTheMessagesBefore(t *testing.T) {
	broken := errors.New("broken")
	for name, fail := range map[string]func() error{
		"error": func() error { return broken },
		"panic": func() error { panic(broken) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, peer := newLines(t)
				s.QueueSize = 10
				hold := make(chan struct{})
				s.MarshalTo = func(m string, w io.Writer) error {
					<-hold
					write(w, m)
					if m == "bad" {
						return fail()
					}
					write(w, "\n")
					return nil
				}
				spawn(t, s)
				for _, m := range []string{"a", "b", "c", "bad", "never"} {
					require.NoError(t, s.Send(m))
				}
				close(hold)
				got, err := io.ReadAll(peer)
				require.NoError(t, err)
				assert.Equal(t, "a\nb\nc\n", string(got))
				assert.ErrorIs(t, s.Wait(), broken)
			})
		})
	}
}

func TestMarshalMayReuseItsBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		s.QueueSize = 10
		var scratch []byte
		s.Marshal = func(m string) ([]byte, error) {
			scratch = append(append(scratch[:0], m...), '\n')
			return scratch, nil
		}
		spawn(t, s)
		for _, m := range []string{"a", "bb", "c"} {
			require.NoError(t, s.Send(m))
		}
		r := bufio.NewReader(peer)
		for _, m := range []string{"a", "bb", "c"} {
			assert.Equal(t, m, readLine(t, r))
		}
	})
}

func TestMessageThatMarshalsToNothingIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newLines(t)
		s.Marshal = func(string) ([]byte, error) { return nil, nil }
		spawn(t, s)
		for range 10 {
			require.NoError(t, s.Send("x"))
		}
		assert.NoError(t, s.Shutdown(context.Background()), "and waits for no reader")
	})
}

func TestShortWriteIsAnError(t *testing.T) {
	s, _ := newLines(t)
	s.Conn = failingWrite{s.Conn, nil}
	spawn(t, s)
	require.NoError(t, s.Send("x"))
	assert.ErrorIs(t, s.Wait(), io.ErrShortWrite)
}

func TestHooksMayUseTheSession(t *testing.T) {
	s, peer := newLines(t)
	s.QueueSize = 4
	unmarshal := s.Unmarshal
	s.Unmarshal = func(b []byte) (string, error) {
		if err := s.TrySend("ack " + string(b)); err != nil {
			return "", err
		}
		return unmarshal(b)
	}
	s.OnError = func(error) { _ = s.Close() }
	spawn(t, s)
	write(peer, "a\n")
	assert.Equal(t, "ack a", readLine(t, bufio.NewReader(peer)))
	s.Go(func(context.Context) error { return errors.New("broken") })
	assert.ErrorContains(t, s.Wait(), "broken")
}

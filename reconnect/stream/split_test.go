package stream_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/lifecycle"
	"darvaza.org/x/net/reconnect/stream"
)

func TestMessageOfExactlyMaxMessageSizePassesAndOneOverIsAnError(t *testing.T) {
	framings := map[string]struct {
		split bufio.SplitFunc
		frame func(string) string
	}{
		"lines":  {nil, func(m string) string { return m + "\r\n" }},
		"frames": {stream.SplitFrame, frame},
	}
	for name, f := range framings {
		for _, limit := range []int{0, 1, 10, 4096, 100_000} {
			t.Run(fmt.Sprint(name, " ", limit), func(t *testing.T) {
				s, peer := newLines(t)
				s.Split, s.MaxMessageSize = f.split, limit
				if limit == 0 {
					limit = stream.DefaultMaxMessageSize
				}
				spawn(t, s)
				exact := strings.Repeat("x", limit)
				go write(peer, f.frame(exact)+f.frame("")+f.frame(exact)+f.frame(exact+"x")+f.frame("never"))
				assert.Equal(t, []string{exact, "", exact}, rest(s))
				err := s.Wait()
				assert.ErrorIs(t, err, bufio.ErrTooLong)
				assert.ErrorContains(t, err, "MaxMessageSize")
				assert.ErrorContains(t, err, fmt.Sprint(limit))
			})
		}
	}
}

func TestAnyMaxMessageSizeIsOne(t *testing.T) {
	s, peer := newLines(t)
	s.MaxMessageSize = math.MaxInt
	spawn(t, s)
	go func() {
		write(peer, "one\n")
		_ = peer.Close()
	}()
	assert.Equal(t, []string{"one"}, rest(s))
	assert.NoError(t, s.Wait())
}

func TestMessageThatThePeersEndCutsOffIsUnexpectedEOFWhereItMakesNoSense(t *testing.T) {
	for name, tc := range map[string]struct {
		sent        string
		split       bufio.SplitFunc
		cut, passes bool
	}{
		"half a value":               {`{"a":1}` + "\n" + `{"a":`, nil, true, false},
		"half a value, return":       {`{"a":` + "\r", nil, true, false},
		"a record without an end":    {`{"a"`, fourBytes, false, false},
		"half a word":                {`{"a":1} {"a`, bufio.ScanWords, true, false},
		"a line that makes no sense": {"{\n", nil, false, false},
		"a value without an end":     {`{"a":1}`, nil, false, true},
	} {
		for how, whole := range map[string]func(io.Reader) io.Reader{"apart": plain, "with io.EOF": iotest.DataErrReader} {
			t.Run(name+", "+how, func(t *testing.T) {
				s := &stream.StreamSession[map[string]int, string]{
					Conn:      twoWays{whole(strings.NewReader(tc.sent)), io.Discard},
					Split:     tc.split,
					MarshalTo: stream.MarshalJSON[string],
					Unmarshal: stream.UnmarshalJSON[map[string]int],
				}
				spawn(t, s)
				rest(s)
				err := s.Wait()
				var of *json.SyntaxError
				assert.Equal(t, tc.passes, err == nil)
				assert.Equal(t, !tc.passes, errors.As(err, &of), "%v", err)
				assert.Equal(t, tc.cut, errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
				assert.Equal(t, !tc.cut && !tc.passes, lifecycle.IsFatal(err) && err != nil, "%v", err)
			})
		}
	}
}

func plain(r io.Reader) io.Reader { return r }

// fourBytes has messages of that length, and an empty one at the end.
func fourBytes(data []byte, atEOF bool) (int, []byte, error) {
	switch {
	case len(data) >= 4:
		return 4, data[:4], nil
	case atEOF:
		return 0, []byte{}, bufio.ErrFinalToken
	default:
		return 0, nil, nil
	}
}

func TestEmptyMessageAtThePeersEndIsNotCutOff(t *testing.T) {
	s := linesOver(t, twoWays{strings.NewReader(""), io.Discard})
	own := errors.New("own")
	s.Split = fourBytes
	s.Unmarshal = func([]byte) (string, error) { return "", own }
	spawn(t, s)
	err := s.Wait()
	assert.ErrorIs(t, err, own)
	assert.NotErrorIs(t, err, io.ErrUnexpectedEOF)
}

// collecting makes a Split that takes bytes as they come, and has a message at each
// semicolon and at the end.
func collecting() bufio.SplitFunc {
	var kept []byte
	return func(data []byte, atEOF bool) (int, []byte, error) {
		part, _, whole := bytes.Cut(data, []byte(";"))
		kept = append(kept, part...)
		switch {
		case whole:
			token := append([]byte{}, kept...)
			kept = nil
			return len(part) + 1, token, nil
		case atEOF && len(kept) > 0:
			return len(data), kept, bufio.ErrFinalToken
		default:
			return len(data), nil, nil
		}
	}
}

func TestSplitThatKeepsBytesHearsOfTheEnd(t *testing.T) {
	own := errors.New("own")
	for how, whole := range map[string]func(io.Reader) io.Reader{"apart": plain, "with io.EOF": iotest.DataErrReader} {
		for _, last := range []string{"two", "twofold"} {
			t.Run(last+", "+how, func(t *testing.T) {
				s := linesOver(t, twoWays{whole(strings.NewReader("one;" + last)), io.Discard})
				s.Split = collecting()
				s.Unmarshal = func(b []byte) (string, error) {
					if string(b) == "twofold" {
						return "", own
					}
					return string(b), nil
				}
				spawn(t, s)
				got := rest(s)
				if last == "two" {
					assert.Equal(t, []string{"one", "two"}, got)
					assert.NoError(t, s.Wait())
					return
				}
				err := s.Wait()
				require.ErrorIs(t, err, own)
				assert.ErrorIs(t, err, io.ErrUnexpectedEOF, "what was kept is cut off, too")
				assert.False(t, lifecycle.IsFatal(err))
			})
		}
	}
}

func TestSplitSeesNothingButTheEndAfterIt(t *testing.T) {
	for how, whole := range map[string]func(io.Reader) io.Reader{"apart": plain, "with io.EOF": iotest.DataErrReader} {
		t.Run(how, func(t *testing.T) {
			s := linesOver(t, twoWays{whole(strings.NewReader("a\nbcd")), io.Discard})
			var calls []string
			s.Split = func(data []byte, atEOF bool) (int, []byte, error) {
				if atEOF {
					calls = append(calls, string(data))
				} else {
					assert.Empty(t, calls)
				}
				advance, token, err := bufio.ScanLines(data, false)
				if atEOF && len(data) > 0 { // one by one
					return 1, data[:1], nil
				}
				return advance, token, err
			}
			spawn(t, s)
			assert.Equal(t, []string{"a", "b", "c", "d"}, rest(s))
			assert.NoError(t, s.Wait())
			assert.Equal(t, []string{"bcd", "cd", "d", ""}, calls)
		})
	}
}

func TestUnmarshalMayWantNoOtherAttemptAfterAMessageThatIsCutOff(t *testing.T) {
	s := linesOver(t, twoWays{strings.NewReader("half"), io.Discard})
	s.Unmarshal = func([]byte) (string, error) { return "", lifecycle.ErrDoNotReconnect }
	spawn(t, s)
	assert.True(t, lifecycle.IsFinal(s.Wait()))
}

func TestLastMessageOfASplitIsBoundedAsAll(t *testing.T) {
	s, peer := newLines(t)
	s.MaxMessageSize = 10
	s.Split = func(b []byte, _ bool) (int, []byte, error) {
		if len(b) < 11 {
			return 0, nil, nil
		}
		return len(b), b, bufio.ErrFinalToken
	}
	spawn(t, s)
	go write(peer, strings.Repeat("x", 11))
	assert.Empty(t, rest(s))
	assert.ErrorIs(t, s.Wait(), bufio.ErrTooLong)
}

// frame puts the length in front of m.
func frame(m string) string {
	var b strings.Builder
	_ = stream.MarshalFrame([]byte(m), &b)
	return b.String()
}

func TestMessageWithoutAnEndTakesBoundedMemory(t *testing.T) {
	for name, split := range map[string]bufio.SplitFunc{"lines": bufio.ScanLines, "frames": stream.SplitFrame} {
		t.Run(name, func(t *testing.T) {
			s, _ := newLines(t)
			s.Split, s.MaxMessageSize = split, 1000
			flood := &floodConn{closed: make(chan struct{})}
			s.Conn = flood
			spawn(t, s)
			assert.ErrorIs(t, s.Wait(), bufio.ErrTooLong)
			assert.Less(t, flood.read, 16<<10)
		})
	}
}

// floodConn gives the same byte forever.
type floodConn struct {
	closed chan struct{}
	read   int
}

func (c *floodConn) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 0x7f
	}
	c.read += len(b)
	return len(b), nil
}

func (c *floodConn) Write([]byte) (int, error) {
	<-c.closed
	return 0, net.ErrClosed
}

func (c *floodConn) Close() error {
	close(c.closed)
	return nil
}

func TestManyEmptyMessagesInARowAreMessages(t *testing.T) {
	const n = 10_000
	for name, tc := range map[string]struct {
		split bufio.SplitFunc
		in    string
	}{
		"lines":  {nil, strings.Repeat("\n", n)},
		"frames": {stream.SplitFrame, strings.Repeat(frame(""), n)},
	} {
		t.Run(name, func(t *testing.T) {
			s, peer := newLines(t)
			s.Split = tc.split
			spawn(t, s)
			go func() {
				write(peer, tc.in)
				_ = peer.Close()
			}()
			assert.Equal(t, make([]string, n), rest(s))
			assert.NoError(t, s.Wait())
		})
	}
}

func TestSplitThatMisbehavesEndsInAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		split bufio.SplitFunc
		want  error
	}{
		"negative advance": {
			func([]byte, bool) (int, []byte, error) { return -1, nil, nil }, bufio.ErrNegativeAdvance,
		},
		"advance beyond the data": {
			func(b []byte, _ bool) (int, []byte, error) { return len(b) + 1, b, nil }, bufio.ErrAdvanceTooFar,
		},
		"messages out of nothing": {
			func([]byte, bool) (int, []byte, error) { return 0, []byte{}, nil }, io.ErrNoProgress,
		},
		"messages out of nothing at the end": {
			func(b []byte, atEOF bool) (int, []byte, error) {
				if !atEOF {
					return 0, nil, nil
				}
				return 0, []byte{}, nil
			}, io.ErrNoProgress,
		},
		"the same message forever": {
			func(b []byte, _ bool) (int, []byte, error) { return 0, b, nil }, io.ErrNoProgress,
		},
		"never a message": {
			func([]byte, bool) (int, []byte, error) { return 0, nil, nil }, io.ErrUnexpectedEOF,
		},
		"a message too long for the limit": {
			func(b []byte, _ bool) (int, []byte, error) {
				return len(b), make([]byte, stream.DefaultMaxMessageSize+1), nil
			}, bufio.ErrTooLong,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, peer := newLines(t)
			s.Split = tc.split
			spawn(t, s)
			go func() {
				write(peer, "some data")
				_ = peer.Close()
			}()
			n := len(rest(s))
			assert.LessOrEqual(t, n, 101)
			assert.ErrorIs(t, s.Wait(), tc.want)
		})
	}
}

func TestSplitMayGiveSeveralMessagesForTheSameBytes(t *testing.T) {
	const n = 500
	s, peer := newLines(t)
	again := false
	s.Split = func(b []byte, atEOF bool) (int, []byte, error) {
		advance, token, err := bufio.ScanLines(b, atEOF)
		if again = token != nil && !again; again {
			advance = 0
		}
		return advance, token, err
	}
	spawn(t, s)
	go func() {
		write(peer, strings.Repeat("twice\n", n))
		_ = peer.Close()
	}()
	assert.Len(t, rest(s), 2*n)
	assert.NoError(t, s.Wait())
}

func TestSplitMayEndTheStream(t *testing.T) {
	for _, last := range [][]byte{nil, []byte("bye")} {
		s, peer := newLines(t)
		s.Split = func(b []byte, atEOF bool) (int, []byte, error) {
			advance, token, err := bufio.ScanLines(b, atEOF)
			if string(token) == "quit" {
				return advance, last, bufio.ErrFinalToken
			}
			return advance, token, err
		}
		spawn(t, s)
		go write(peer, "a\nquit\nnever\n")
		want := []string{"a"}
		if last != nil {
			want = append(want, "bye")
		}
		assert.Equal(t, want, rest(s))
		assert.NoError(t, s.Wait())
	}
}

func TestEOFInMidMessageIsUnexpectedWhereTheFramingSaysSo(t *testing.T) {
	ignorant := func(b []byte, atEOF bool) (int, []byte, error) {
		// As many write it: it doesn't look at atEOF at all.
		if len(b) < 3 {
			return 0, nil, nil
		}
		return 3, b[:3], nil
	}
	for name, tc := range map[string]struct {
		split bufio.SplitFunc
		in    string
		got   []string
		want  error
	}{
		"lines":                {bufio.ScanLines, "one\ntw", []string{"one", "tw"}, nil},
		"words, a blank after": {bufio.ScanWords, "one two  ", []string{"one", "two"}, nil},
		"frame, in the body":   {stream.SplitFrame, frame("one") + frame("two")[:6], []string{"one"}, io.ErrUnexpectedEOF},
		"frame, in the length": {stream.SplitFrame, frame("one") + frame("two")[:2], []string{"one"}, io.ErrUnexpectedEOF},
		"frame, between two":   {stream.SplitFrame, frame("one") + frame("two"), []string{"one", "two"}, nil},
		"left over":            {ignorant, "onetw", []string{"one"}, io.ErrUnexpectedEOF},
		"nothing left over":    {ignorant, "onetwo", []string{"one", "two"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, peer := newLines(t)
			s.Split = tc.split
			spawn(t, s)
			go func() {
				write(peer, tc.in)
				_ = peer.Close()
			}()
			assert.Equal(t, tc.got, rest(s))
			assert.ErrorIs(t, s.Wait(), tc.want)
		})
	}
}

func TestSplitThatFailsWithEOFInMidMessageIsNotTheEndOfTheStream(t *testing.T) {
	for name, patient := range map[string]bool{"while the peer is there": false, "when the peer has gone": true} {
		t.Run(name, func(t *testing.T) {
			s, peer := newLines(t)
			s.Split = func(b []byte, atEOF bool) (int, []byte, error) {
				r := bytes.NewReader(b)
				n, err := r.ReadByte()
				if err != nil {
					return 0, nil, err
				}
				if patient && !atEOF && r.Len() < int(n) {
					return 0, nil, nil
				}
				p := make([]byte, n)
				if _, err := io.ReadFull(r, p); err != nil { // io.EOF where nothing is there
					return 0, nil, err
				}
				return len(b) - r.Len(), p, nil
			}
			spawn(t, s)
			go func() {
				write(peer, "\x03one\x03")
				if patient {
					_ = peer.Close()
				}
			}()
			assert.Equal(t, []string{"one"}, rest(s))
			assert.ErrorIs(t, s.Wait(), io.ErrUnexpectedEOF)
		})
	}
}

func TestSplitMaySayEOFWhereNothingIsLeft(t *testing.T) {
	s, peer := newLines(t)
	s.Split = func(b []byte, _ bool) (int, []byte, error) {
		if len(b) == 0 {
			return 0, nil, io.EOF
		}
		return 1, b[:1], nil
	}
	spawn(t, s)
	go func() {
		write(peer, "ab")
		_ = peer.Close()
	}()
	assert.Equal(t, []string{"a", "b"}, rest(s))
	assert.NoError(t, s.Wait())
}

func TestMessagesThatComeWithAnErrorAreDelivered(t *testing.T) {
	broken := errors.New("broken")
	s, _ := newLines(t)
	s.Conn = &lastWords{ReadWriteCloser: s.Conn, words: "one\ntwo\nthr", err: broken}
	spawn(t, s)
	assert.Equal(t, []string{"one", "two"}, rest(s))
	assert.ErrorIs(t, s.Wait(), broken)
}

// lastWords gives everything, and an error, in one Read.
type lastWords struct {
	io.ReadWriteCloser
	words string
	err   error
}

func (c *lastWords) Read(b []byte) (int, error) { return copy(b, c.words), c.err }

func TestReadThatGivesNothingForeverIsAnError(t *testing.T) {
	s, _ := newLines(t)
	s.Conn = &lastWords{ReadWriteCloser: s.Conn}
	spawn(t, s)
	assert.ErrorIs(t, s.Wait(), io.ErrNoProgress)
}

// TestConnThatIsClosedIsNotReadAgain is about a conn that reconnects: after Close it
// would give the bytes of the next connection.
func TestConnThatIsClosedIsNotReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newLines(t)
		conn := &undead{ReadWriteCloser: s.Conn}
		s.Conn = conn
		hold := make(chan struct{})
		s.Unmarshal = func(b []byte) (string, error) { <-hold; return string(b), nil }
		s.MarshalTo = func(m string, w io.Writer) error { <-hold; write(w, m); return nil }
		spawn(t, s)
		write(peer, "x\n")
		require.NoError(t, s.Send("x"))
		synctest.Wait()
		require.NoError(t, s.Close())
		conn.risen = true
		close(hold)
		require.NoError(t, s.Wait())
		assert.Zero(t, conn.used)
	})
}

type undead struct {
	io.ReadWriteCloser
	risen bool
	used  int
}

func (c *undead) Read(b []byte) (int, error) {
	if c.risen {
		c.used++
	}
	return c.ReadWriteCloser.Read(b)
}

func (c *undead) Write(b []byte) (int, error) {
	if c.risen {
		c.used++
	}
	return c.ReadWriteCloser.Write(b)
}

// scriptedConn gives some words, and then what it is told to, again and again.
type scriptedConn struct {
	net.Conn
	words string
	over  int // how many bytes too many it claims to have read
	err   error
}

func (c *scriptedConn) Read(b []byte) (int, error) {
	if c.words != "" {
		n := copy(b, c.words)
		c.words = c.words[n:]
		return n, nil
	}
	switch {
	case c.over > 0:
		return len(b) + c.over, c.err
	default:
		return c.over, c.err
	}
}

func TestHalfAMessageIsNoneHoweverTheReadFails(t *testing.T) {
	reset := errors.New("reset")
	for name, tc := range map[string]struct {
		over int
		err  error
		want error
	}{
		"nothing, forever":       {0, nil, io.ErrNoProgress},
		"too many bytes":         {1, nil, bufio.ErrBadReadCount},
		"negative":               {-1, nil, bufio.ErrBadReadCount},
		"negative at the end":    {-1, io.EOF, bufio.ErrBadReadCount},
		"too many, and the end":  {1, io.EOF, bufio.ErrBadReadCount},
		"an error":               {0, reset, reset},
		"an error around an EOF": {0, fmt.Errorf("proxy: %w", io.EOF), io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newLines(t)
			s.Conn = &scriptedConn{s.Conn.(net.Conn), "whole\nhal", tc.over, tc.err}
			spawn(t, s)
			assert.Equal(t, []string{"whole"}, rest(s))
			assert.ErrorIs(t, s.Wait(), tc.want)
		})
	}
}

func TestSplitIsNotAskedAboutNoBytesWhenAReadFails(t *testing.T) {
	reset := errors.New("reset")
	s, _ := newLines(t)
	s.Conn = &scriptedConn{s.Conn.(net.Conn), "\x03abc", 0, reset}
	s.Split = func(data []byte, atEOF bool) (int, []byte, error) {
		// The contract of a SplitFunc: there is something, or it is the end.
		if n := 1 + int(data[0]); n <= len(data) {
			return n, data[1:n], nil
		}
		return 0, nil, nil
	}
	spawn(t, s)
	assert.Equal(t, []string{"abc"}, rest(s))
	assert.ErrorIs(t, s.Wait(), reset)
}

// commentLines skips lines that begin with a hash, one at a time.
func commentLines(data []byte, atEOF bool) (int, []byte, error) {
	advance, token, err := bufio.ScanLines(data, atEOF)
	if bytes.HasPrefix(token, []byte("#")) {
		token = nil
	}
	return advance, token, err
}

func TestSplitThatSkipsLosesNoMessageBehindThat(t *testing.T) {
	for in, want := range map[string][]string{
		"#a\n#b\nmsg\n":               {"msg"},
		"#a\nmsg":                     {"msg"},
		"x\n#a\n#b\n#c\nmsg1\nmsg2\n": {"x", "msg1", "msg2"},
		"msg\n#a\n#b\n":               {"msg"},
	} {
		s, peer := newLines(t)
		s.Split = commentLines
		spawn(t, s)
		go func() { write(peer, in); _ = peer.Close() }()
		assert.Equal(t, want, rest(s), in)
		assert.NoError(t, s.Wait(), in)
	}
}

func TestMessageBehindASkippedOneDoesNotWaitForMoreBytes(t *testing.T) {
	s, peer := newLines(t)
	s.Split = commentLines
	spawn(t, s)
	go write(peer, "#a\nmsg\n")
	m, ok := <-s.Recv()
	assert.True(t, ok)
	assert.Equal(t, "msg", m)
	require.NoError(t, s.Close())
}

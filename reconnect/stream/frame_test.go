package stream_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect/stream"
)

func TestLengthPrefixedMessagesMayHoldAnyBytes(t *testing.T) {
	conn, peer := tcpPair(t)
	frames := func(conn net.Conn) *stream.StreamSession[[]byte, []byte] {
		s := &stream.StreamSession[[]byte, []byte]{
			Conn:      conn,
			Split:     stream.SplitFrame,
			MarshalTo: stream.MarshalFrame,
			Unmarshal: func(b []byte) ([]byte, error) { return bytes.Clone(b), nil },
		}
		spawn(t, s)
		return s
	}
	a, b := frames(conn), frames(peer)
	for _, m := range [][]byte{[]byte("one\ntwo"), {}, {0, 0, 0, 1}, make([]byte, stream.DefaultMaxMessageSize)} {
		require.NoError(t, a.Send(m))
		got, ok := b.Next()
		require.True(t, ok)
		require.Equal(t, m, got)
		require.NoError(t, b.Send(got))
		back, ok := a.Next()
		require.True(t, ok)
		require.Equal(t, m, back)
	}
	require.NoError(t, a.Shutdown(context.Background()))
	assert.NoError(t, b.Wait())
}

func TestJSONMessagesTakeALineEach(t *testing.T) {
	type point struct{ X, Y int }
	conn, peer := tcpPair(t)
	s := &stream.StreamSession[point, map[string]any]{
		Conn:      conn,
		MarshalTo: stream.MarshalJSON[map[string]any],
		Unmarshal: stream.UnmarshalJSON[point],
	}
	spawn(t, s)
	require.NoError(t, s.Send(map[string]any{"text": "two\nlines"}))
	r := bufio.NewReader(peer)
	assert.Equal(t, `{"text":"two\nlines"}`, readLine(t, r))

	write(peer, "{\"X\":1,\"Y\":2}\r\n  {\"Y\":3}  \n{\"X\":}\n")
	assert.Equal(t, point{1, 2}, <-s.Recv())
	assert.Equal(t, point{0, 3}, <-s.Recv())
	assert.ErrorAs(t, s.Wait(), new(*json.SyntaxError))
}

func TestJSONThatCannotBeEncodedEndsTheSession(t *testing.T) {
	s := &stream.StreamSession[any, any]{
		MarshalTo: stream.MarshalJSON[any],
		Unmarshal: stream.UnmarshalJSON[any],
	}
	s.Conn, _ = tcpPair(t)
	spawn(t, s)
	require.NoError(t, s.Send(make(chan int)))
	assert.ErrorAs(t, s.Wait(), new(*json.UnsupportedTypeError))
}

func TestMarshalersReturnTheErrorOfTheWriter(t *testing.T) {
	broken := errors.New("broken")
	for n := range 2 {
		w := &failAfter{n: n, err: broken}
		assert.ErrorIs(t, stream.MarshalFrame([]byte("x"), w), broken)
	}
	assert.ErrorIs(t, stream.MarshalJSON("x", &failAfter{err: broken}), broken)
}

// failAfter takes n Writes.
type failAfter struct {
	n   int
	err error
}

func (w *failAfter) Write(b []byte) (int, error) {
	if w.n--; w.n < 0 {
		return 0, w.err
	}
	return len(b), nil
}

// FuzzFraming feeds a session with anything, in two Reads, and checks it against
// the same bytes split by hand.
func FuzzFraming(f *testing.F) {
	f.Add([]byte("one\ntwo"), 3, false)
	f.Add([]byte("\x00\x00\x00\x03one\x00\x00\x00\x00"), 5, true)
	f.Fuzz(func(t *testing.T, in []byte, cut int, frames bool) {
		const limit = 64
		split := bufio.ScanLines
		if frames {
			split = stream.SplitFrame
		}
		cut = min(max(cut, 0), len(in))
		s := &stream.StreamSession[[]byte, []byte]{
			Conn: &canned{
				Reader: io.MultiReader(bytes.NewReader(in[:cut]), bytes.NewReader(in[cut:])),
			},
			Split:          split,
			MaxMessageSize: limit,
			MarshalTo:      stream.MarshalFrame,
			Unmarshal:      func(b []byte) ([]byte, error) { return append([]byte{}, b...), nil },
		}
		require.NoError(t, s.Spawn())
		got := rest(s)
		err := s.Wait()

		want, wantErr := byHand(in, split, limit)
		require.Equal(t, want, got)
		require.ErrorIs(t, err, wantErr)

		if frames && err == nil {
			var back bytes.Buffer
			for _, m := range got {
				require.NoError(t, stream.MarshalFrame(m, &back))
			}
			require.Equal(t, string(in), back.String())
		}
	})
}

// byHand splits in, which is all there is.
func byHand(in []byte, split bufio.SplitFunc, limit int) (msgs [][]byte, err error) {
	for len(in) > 0 {
		advance, token, err := split(in, true)
		// What can't be had whole has to be found too long only where it
		// doesn't fit into the buffer.
		if len(token) > limit || err != nil && len(in) >= limit+4<<10 {
			return msgs, bufio.ErrTooLong
		}
		if err != nil {
			return msgs, err
		}
		msgs = append(msgs, append([]byte{}, token...))
		in = in[advance:]
	}
	return msgs, nil
}

// canned is a conn that gives what a Reader has.
type canned struct{ io.Reader }

func (*canned) Write(b []byte) (int, error) { return len(b), nil }
func (*canned) Close() error                { return nil }

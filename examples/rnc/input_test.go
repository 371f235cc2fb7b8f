package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatWasNotSentComesAgain(t *testing.T) {
	in := newInput(strings.NewReader("hello"))
	defer in.close()
	for _, rest := range []string{"hello", "llo", "o"} {
		p, err := in.next(t.Context())
		require.NoError(t, err)
		assert.Equal(t, rest, string(p))
		in.sent(min(2, len(p)))
	}
	_, err := in.next(t.Context())
	assert.Equal(t, io.EOF, err)
	assert.Zero(t, in.unsent())
}

func TestAReadThatIsCutShortLosesNothing(t *testing.T) {
	r, w := io.Pipe()
	in := newInput(r)
	defer in.close()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := in.next(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	in.want <- struct{}{} // as a call that was cut short later
	in.asked = true

	_, err = io.WriteString(w, "hello")
	require.NoError(t, err)
	_ = w.Close()
	p, err := in.next(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "hello", string(p))
	assert.Equal(t, 5, in.unsent())
	in.sent(5)
	_, err = in.next(t.Context())
	assert.Equal(t, io.EOF, err)
}

func TestDataBeforeAFailedReadIsKept(t *testing.T) {
	oops := errors.New("oops")
	in := newInput(iotest.DataErrReader(io.MultiReader(strings.NewReader("hello"), iotest.ErrReader(oops))))
	defer in.close()
	p, err := in.next(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "hello", string(p))
	in.sent(5)
	_, err = in.next(t.Context())
	assert.Equal(t, oops, err)
}

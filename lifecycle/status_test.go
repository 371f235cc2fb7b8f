package lifecycle_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/lifecycle"
)

func TestStatusStringIsOneLine(t *testing.T) {
	s := lifecycle.Status{
		State:     lifecycle.Waiting,
		Remote:    "127.0.0.1:7",
		Attempt:   2,
		LastError: io.EOF,
		Attempts:  5,
		Failures:  4,
		Sessions:  1,
		BytesRead: 10, BytesWritten: 20,
	}
	assert.Equal(t, `waiting remote=127.0.0.1:7 attempt=2 attempts=5 failures=4 sessions=1`+
		` read=10 written=20 error="EOF"`, s.String())
	assert.Equal(t, "idle attempt=0 attempts=0 failures=0 sessions=0 read=0 written=0",
		lifecycle.Status{}.String())
	assert.Equal(t, `idle remote="/run/a\nb.sock" attempt=0 attempts=0 failures=0 sessions=0 read=0 written=0`,
		lifecycle.Status{Remote: "/run/a\nb.sock"}.String())
}

func TestStatusStringSurvivesAnErrorThatPanics(t *testing.T) {
	assert.NotPanics(t, func() {
		_ = lifecycle.Status{LastError: new(pointerError)}.String()
	})
}

type pointerError struct{ inner error }

func (e *pointerError) Error() string { return e.inner.Error() }

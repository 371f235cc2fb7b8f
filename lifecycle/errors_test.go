package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
	"testing"

	"darvaza.org/core"
	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/lifecycle"
)

func TestSentinelsMatchTheirStandardTwins(t *testing.T) {
	assert.ErrorIs(t, lifecycle.ErrClosed, net.ErrClosed)
	assert.ErrorIs(t, lifecycle.ErrClosed, fs.ErrClosed)
	assert.ErrorIs(t, lifecycle.ErrNotConnected, lifecycle.ErrClosed)
	assert.ErrorIs(t, lifecycle.ErrNotConnected, net.ErrClosed)
	assert.ErrorIs(t, lifecycle.ErrNotConnected, fs.ErrClosed)
	assert.ErrorIs(t, lifecycle.ErrRunning, syscall.EBUSY)
	assert.ErrorIs(t, lifecycle.ErrAbnormalConnect, syscall.ECONNABORTED)
}

func TestSentinelsMatchNothingElse(t *testing.T) {
	assert.NotErrorIs(t, lifecycle.ErrClosed, lifecycle.ErrNotConnected)
	assert.NotErrorIs(t, lifecycle.ErrClosed, lifecycle.ErrRunning)
	assert.NotErrorIs(t, lifecycle.ErrRunning, net.ErrClosed)
	assert.NotErrorIs(t, lifecycle.ErrAbnormalConnect, syscall.ECONNRESET)
	assert.NotErrorIs(t, lifecycle.ErrClosed, bare{})
}

func TestSentinelsHaveTheirTexts(t *testing.T) {
	assert.EqualError(t, lifecycle.ErrRunning, "already running")
	assert.EqualError(t, lifecycle.ErrClosed, "already closed")
	assert.EqualError(t, lifecycle.ErrNotConnected, "not connected")
	assert.EqualError(t, lifecycle.ErrDoNotReconnect, "do not reconnect")
	assert.EqualError(t, lifecycle.ErrGoexit, "callback called runtime.Goexit")
}

func TestErrDoNotReconnectMatchesATwinBothWays(t *testing.T) {
	assert.ErrorIs(t, twin{}, lifecycle.ErrDoNotReconnect)
	assert.ErrorIs(t, lifecycle.ErrDoNotReconnect, twin{})
	assert.ErrorIs(t, fmt.Errorf("enough: %w", twin{}), lifecycle.ErrDoNotReconnect)
	assert.ErrorIs(t, fmt.Errorf("enough: %w", lifecycle.ErrDoNotReconnect), twin{})
	assert.ErrorIs(t, lifecycle.ErrDoNotReconnect, lifecycle.ErrDoNotReconnect)
}

func TestErrDoNotReconnectMatchesNoOtherTarget(t *testing.T) {
	assert.NotErrorIs(t, lifecycle.ErrDoNotReconnect, io.EOF)
	assert.NotErrorIs(t, lifecycle.ErrDoNotReconnect, undecided{})
	assert.NotErrorIs(t, undecided{}, lifecycle.ErrDoNotReconnect)
	assert.NotErrorIs(t, lifecycle.ErrDoNotReconnect, fmt.Errorf("target: %w", twin{}),
		"a target isn't unwrapped")
}

func TestIsClosedFindsErrClosedInside(t *testing.T) {
	assert.True(t, lifecycle.IsClosed(lifecycle.ErrClosed))
	assert.True(t, lifecycle.IsClosed(lifecycle.ErrNotConnected))
	assert.True(t, lifecycle.IsClosed(errors.Join(io.EOF, fmt.Errorf("x: %w", lifecycle.ErrClosed))))
	assert.False(t, lifecycle.IsClosed(nil))
	assert.False(t, lifecycle.IsClosed(net.ErrClosed))
	assert.False(t, lifecycle.IsClosed(lifecycle.ErrRunning))
}

func TestIsNotConnectedIsNarrowerThanIsClosed(t *testing.T) {
	assert.True(t, lifecycle.IsNotConnected(fmt.Errorf("read: %w", lifecycle.ErrNotConnected)))
	assert.False(t, lifecycle.IsNotConnected(lifecycle.ErrClosed))
	assert.False(t, lifecycle.IsNotConnected(nil))
}

func TestIsNonErrorTellsWantedStopsFromFailures(t *testing.T) {
	for _, err := range []error{
		nil,
		context.Canceled,
		lifecycle.ErrDoNotReconnect,
		twin{},
		fmt.Errorf("x: %w", context.Canceled),
		fmt.Errorf("x: %w", lifecycle.ErrDoNotReconnect),
		&net.OpError{Op: "dial", Err: like{context.Canceled}},
	} {
		assert.True(t, lifecycle.IsNonError(err), "%v", err)
	}

	for _, err := range []error{
		io.EOF,
		context.DeadlineExceeded,
		undecided{},
		lifecycle.ErrClosed,
		core.NewPanicError(0, context.Canceled),
		fmt.Errorf("x: %w", core.NewPanicError(0, lifecycle.ErrDoNotReconnect)),
		errors.Join(context.Canceled, (*net.OpError)(nil), core.NewPanicError(0, "x")),
	} {
		assert.False(t, lifecycle.IsNonError(err), "%v", err)
	}
}

func TestIsFinalFindsStopsAndPanicsAnywhere(t *testing.T) {
	for _, err := range []error{
		lifecycle.ErrDoNotReconnect,
		lifecycle.ErrGoexit,
		twin{},
		errors.Join(io.EOF, fmt.Errorf("x: %w", lifecycle.ErrDoNotReconnect)),
		&net.OpError{Op: "dial", Err: core.NewPanicError(0, io.EOF)},
		errors.Join(io.EOF, (*net.OpError)(nil)),
	} {
		assert.True(t, lifecycle.IsFinal(err), "%T", err)
		assert.True(t, lifecycle.IsFatal(err), "%T", err)
	}
	for _, err := range []error{nil, io.EOF, context.Canceled, errors.New("x"), lifecycle.ErrClosed} {
		assert.False(t, lifecycle.IsFinal(err), "%v", err)
	}
}

func TestReasonHidesOnlyBareStops(t *testing.T) {
	assert.NoError(t, lifecycle.Reason(nil))
	assert.NoError(t, lifecycle.Reason(context.Canceled))
	assert.NoError(t, lifecycle.Reason(lifecycle.ErrDoNotReconnect))
	assert.NoError(t, lifecycle.Reason(twin{}))

	for _, err := range []error{
		io.EOF,
		context.DeadlineExceeded,
		lifecycle.ErrClosed,
		undecided{},
		bare{"a"},
		nothing,
		trap{},
		final{io.EOF},
		fmt.Errorf("x: %w", context.Canceled),
		fmt.Errorf("x: %w", lifecycle.ErrDoNotReconnect),
		errors.Join(lifecycle.ErrDoNotReconnect),
	} {
		assert.Equal(t, err, lifecycle.Reason(err))
	}
}

func TestPredicatesSurviveHostileErrors(t *testing.T) {
	var stop *pointerStop
	for _, err := range []error{new(circle), new(tree), trap{}, lateTrap{}, fmt.Errorf("x: %w", lateTrap{}), nothing, stop} {
		assert.False(t, lifecycle.IsClosed(err), "%T", err)
		assert.False(t, lifecycle.IsNotConnected(err), "%T", err)
		assert.False(t, lifecycle.IsNonError(err), "%T", err)
		assert.True(t, lifecycle.IsFatal(err), "%T", err)
		assert.Equal(t, err, lifecycle.Reason(err), "%T", err)
	}
}

// pointerStop answers like a twin, unless it is nil.
type pointerStop struct{ answer bool }

func (*pointerStop) Error() string          { return "pointer" }
func (p *pointerStop) DoNotReconnect() bool { return p.answer }

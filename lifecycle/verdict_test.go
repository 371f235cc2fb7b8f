package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"

	"darvaza.org/core"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/lifecycle"
)

// teller is an OnError that keeps what it was told.
type teller struct {
	answer func(err error) error
	ctx    context.Context
	conn   net.Conn
	told   []error
}

func (o *teller) OnError(ctx context.Context, conn net.Conn, err error) error {
	o.ctx, o.conn = ctx, conn
	o.told = append(o.told, err)
	return o.answer(err)
}

func retry(error) error                   { return nil }
func same(err error) error                { return err }
func other(error) error                   { return errOther }
func explodes(error) error                { panic("boom") }
func answers(f func(error) error) *teller { return &teller{answer: f} }

var errOther = errors.New("what OnError made of it")

// stopped gives a context that has ended for the given cause.
func stopped(cause error) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	return ctx
}

var errStop = fmt.Errorf("enough: %w", lifecycle.ErrDoNotReconnect)

func TestJudgeGoesOnWithoutAnError(t *testing.T) {
	o := answers(other)
	assert.Zero(t, lifecycle.Judge(t.Context(), nil, nil, o.OnError))
	assert.Zero(t, lifecycle.Judge(stopped(errOwn), nil, nil, o.OnError))
	assert.Empty(t, o.told)
}

func TestJudgeStopsWithTheCauseWhenTheClientIsStopping(t *testing.T) {
	o := answers(retry)
	for _, err := range []error{io.EOF, errOwn, errStop, context.Canceled} {
		for _, cause := range []error{nil, errOther} {
			ctx := stopped(cause)
			want := lifecycle.Verdict{Stop: true, Stopping: true, Reason: context.Cause(ctx)}
			assert.Equal(t, want, lifecycle.Judge(ctx, nil, err, o.OnError))
			assert.Equal(t, want, lifecycle.JudgeStop(ctx, nil, err, o.OnError))
		}
	}
	assert.Empty(t, o.told, "errors of the stop itself are nobody's concern")
}

func TestJudgeStopsOnErrDoNotReconnectWhateverOnErrorReturns(t *testing.T) {
	for _, err := range []error{errStop, twin{}, errors.Join(io.EOF, lifecycle.ErrDoNotReconnect)} {
		o := answers(retry)
		assert.Equal(t, lifecycle.Verdict{Stop: true, Told: true, Reason: err},
			lifecycle.Judge(t.Context(), nil, err, o.OnError))
		assert.Equal(t, []error{err}, o.told)

		assert.Equal(t, lifecycle.Verdict{Stop: true, Told: true, Reason: errOther},
			lifecycle.Judge(t.Context(), nil, err, answers(other).OnError))
		assert.Equal(t, lifecycle.Verdict{Stop: true, Reason: err},
			lifecycle.Judge(t.Context(), nil, err, nil))
	}
}

func TestJudgeAsksOnErrorBeforeIsFatal(t *testing.T) {
	for _, err := range []error{errOwn, io.EOF, context.Canceled, core.NewPanicError(0, "x")} {
		assert.Equal(t, lifecycle.Verdict{Told: true},
			lifecycle.Judge(t.Context(), nil, err, answers(retry).OnError))
		assert.Equal(t, lifecycle.Verdict{Stop: true, Told: true, Reason: err},
			lifecycle.Judge(t.Context(), nil, err, answers(same).OnError))
		assert.Equal(t, lifecycle.Verdict{Stop: true, Told: true, Reason: errOther},
			lifecycle.Judge(t.Context(), nil, err, answers(other).OnError))
	}
}

func TestJudgeFallsBackToIsFatal(t *testing.T) {
	assert.Zero(t, lifecycle.Judge(t.Context(), nil, io.EOF, nil))
	assert.Equal(t, lifecycle.Verdict{Stop: true, Reason: errOwn},
		lifecycle.Judge(t.Context(), nil, errOwn, nil))
}

func TestJudgeTellsOnErrorOfContextAndConnection(t *testing.T) {
	o, conn := answers(retry), newConn()
	ctx := lifecycle.WithConn(t.Context(), conn)
	lifecycle.Judge(ctx, conn, io.EOF, o.OnError)
	assert.Equal(t, ctx, o.ctx)
	assert.Same(t, conn, o.conn)
}

func TestJudgeTakesAPanicOfOnErrorForItsAnswer(t *testing.T) {
	for _, judge := range []func(context.Context, net.Conn, error,
		func(context.Context, net.Conn, error) error) lifecycle.Verdict{
		lifecycle.Judge, lifecycle.JudgeStop,
	} {
		v := judge(t.Context(), nil, io.EOF, answers(explodes).OnError)
		assert.True(t, v.Stop)
		assert.True(t, v.Told)
		var pe *core.PanicError
		require.ErrorAs(t, v.Reason, &pe)
		assert.EqualError(t, pe, "panic: boom")
	}
}

func TestJudgeLetsGoexitOfOnErrorThrough(t *testing.T) {
	assert.False(t, exitInside(func() {
		lifecycle.Judge(context.Background(), nil, io.EOF, func(context.Context, net.Conn, error) error {
			runtime.Goexit()
			return nil
		})
	}))
}

func TestJudgeTakesANilContextForOneThatNeverEnds(t *testing.T) {
	assert.Zero(t, lifecycle.Judge(nobody, nil, io.EOF, nil))
	assert.True(t, lifecycle.JudgeStop(nobody, nil, io.EOF, nil).Stop)
}

func TestJudgeTakesAnErrorFunc(t *testing.T) {
	var fn lifecycle.ErrorFunc = answers(other).OnError
	assert.Equal(t, errOther, lifecycle.Judge(t.Context(), nil, io.EOF, fn).Reason)
	fn = nil
	assert.Zero(t, lifecycle.Judge(t.Context(), nil, io.EOF, fn))
}

func TestJudgeStopStopsOnEveryError(t *testing.T) {
	for _, err := range []error{io.EOF, errOwn, context.Canceled, errStop} {
		o := answers(retry)
		assert.Equal(t, lifecycle.Verdict{Stop: true, Told: true, Reason: err},
			lifecycle.JudgeStop(t.Context(), nil, err, o.OnError))
		assert.Equal(t, []error{err}, o.told)

		assert.Equal(t, lifecycle.Verdict{Stop: true, Told: true, Reason: errOther},
			lifecycle.JudgeStop(t.Context(), nil, err, answers(other).OnError))
		assert.Equal(t, lifecycle.Verdict{Stop: true, Reason: err},
			lifecycle.JudgeStop(t.Context(), nil, err, nil))
	}
}

func TestJudgeStopWithoutAnErrorIsAWantedStop(t *testing.T) {
	v := lifecycle.JudgeStop(t.Context(), nil, nil, nil)
	assert.True(t, v.Stop)
	assert.Equal(t, lifecycle.ErrDoNotReconnect, v.Reason)
	assert.NoError(t, lifecycle.Reason(v.Reason))
}

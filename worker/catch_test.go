package worker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/worker"
)

// explode panics in a function with a name to look for in the stack.
func explode(context.Context) error { panic(errFirst) }

func goexit(context.Context) error {
	runtime.Goexit()
	return nil
}

func TestCatchTurnsAnErrorIntoNilOrAnother(t *testing.T) {
	for _, tt := range []struct {
		name      string
		run, want error
		catch     worker.Catcher
	}{
		{"into nil", errFirst, nil, func(context.Context, error) error { return nil }},
		{"into another", errFirst, errSecond, func(context.Context, error) error { return errSecond }},
		{"as it is", errFirst, errFirst, func(_ context.Context, err error) error { return err }},
		{"without catch", errFirst, errFirst, nil},
		{"without error or catch", nil, nil, nil},
		{"without error", nil, nil, func(context.Context, error) error { return errSecond }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var g worker.Group
			g.GoCatch(failing(tt.run), tt.catch)
			assert.Equal(t, tt.want, g.Wait())
		})
	}
}

func TestCaughtErrorLeavesTheGroupRunning(t *testing.T) {
	var g worker.Group
	caught := make(chan error)
	g.Go(untilEnd)
	g.GoCatch(failing(errFirst), func(ctx context.Context, err error) error {
		assert.Equal(t, g.Context(), ctx)
		caught <- err
		return nil
	})
	assert.Equal(t, errFirst, <-caught)
	assert.NoError(t, g.Context().Err())
	assert.NoError(t, g.Shutdown(t.Context()))
}

func TestPanicIsAnErrorWithItsStack(t *testing.T) {
	for name, start := range map[string]func(*worker.Group){
		"Go":      func(g *worker.Group) { g.Go(explode) },
		"GoCatch": func(g *worker.Group) { g.GoCatch(explode, nil) },
		"catch": func(g *worker.Group) {
			g.GoCatch(failing(errSecond), func(ctx context.Context, _ error) error { return explode(ctx) })
		},
		"catch of a panic": func(g *worker.Group) {
			g.GoCatch(func(context.Context) error { panic("other") }, func(ctx context.Context, _ error) error { return explode(ctx) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			var g worker.Group
			g.Go(untilEnd)
			start(&g)
			err := g.Wait()
			require.ErrorIs(t, err, errFirst)
			var pe *core.PanicError
			require.ErrorAs(t, err, &pe)
			assert.Equal(t, errFirst, pe.Recovered())
			assert.Contains(t, fmt.Sprintf("%+v", pe.CallStack()), "explode")
			for _, f := range pe.CallStack() {
				if strings.HasSuffix(f.Name(), ".explode") {
					break
				}
				assert.NotContains(t, f.Name(), "worker", "the stack starts inside the module")
			}
		})
	}
}

func TestCatchSeesPanics(t *testing.T) {
	var g worker.Group
	var got error
	g.GoCatch(explode, func(_ context.Context, err error) error { got = err; return nil })
	require.NoError(t, g.Wait())
	var pe *core.PanicError
	assert.ErrorAs(t, got, &pe)
}

func TestAnyPanicValueBecomesAPanicError(t *testing.T) {
	own := core.NewPanicError(0, "own")
	var none *core.PanicError
	for name, value := range map[string]any{
		"text": "text", "number": 5, "error": errFirst, "nil": nil, "own": own, "nil pointer": none,
	} {
		t.Run(name, func(t *testing.T) {
			err := worker.Run(t.Context(), func(context.Context) error { panic(value) })
			var pe *core.PanicError
			require.ErrorAs(t, err, &pe)
			require.NotNil(t, pe)
			assert.NotEmpty(t, pe.CallStack())
			if name == "own" {
				assert.Same(t, own, pe)
			}
		})
	}
}

func TestGoexitEndsTheGroupAndIsNotCaught(t *testing.T) {
	var g worker.Group
	g.Go(untilEnd)
	g.GoCatch(goexit, func(context.Context, error) error {
		t.Error("catch was asked")
		return nil
	})
	assert.Equal(t, worker.ErrGoexit, g.Wait())
}

func TestReturnedErrGoexitIsAnErrorLikeAnyOther(t *testing.T) {
	var g worker.Group
	g.GoCatch(func(ctx context.Context) error { return worker.Run(ctx, goexit) }, worker.NewCatchFunc(worker.ErrGoexit))
	assert.NoError(t, g.Wait())
}

func TestGoexitInCatchEndsTheGroup(t *testing.T) {
	for name, run := range map[string]worker.Func{"after an error": failing(errFirst), "after a panic": explode} {
		t.Run(name, func(t *testing.T) {
			var g worker.Group
			g.Go(untilEnd)
			g.GoCatch(run, func(ctx context.Context, _ error) error { return goexit(ctx) })
			assert.Equal(t, worker.ErrGoexit, g.Wait())
		})
	}
}

func TestCatchFuncAnswersNilForWhatItWasGiven(t *testing.T) {
	catch := worker.NewCatchFunc(nil, errFirst, nil, context.Canceled)
	for _, tt := range []struct {
		name      string
		err, want error
	}{
		{"given", errFirst, nil},
		{"wrapped", fmt.Errorf("why: %w", context.Canceled), nil},
		{"joined", errors.Join(errSecond, errFirst), nil},
		{"other", errSecond, errSecond},
		{"none", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, catch(t.Context(), tt.err))
		})
	}
	assert.Equal(t, errFirst, worker.NewCatchFunc()(t.Context(), errFirst))
}

func TestCatchFuncReadsNeitherTheCallersSliceNorWritesToAJoin(t *testing.T) {
	nonErrors := []error{errFirst}
	catch := worker.NewCatchFunc(nonErrors...)
	nonErrors[0] = errSecond
	joined := errors.Join(errSecond, errors.Join(errSecond, errFirst))

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				assert.NoError(t, catch(context.Background(), joined))
				assert.Equal(t, errSecond, catch(context.Background(), errSecond))
			}
		})
	}
	wg.Wait()
	assert.Equal(t, "second\nsecond\nfirst", joined.Error())
}

package reconnect_test

import (
	"errors"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/reconnect"
)

func TestNewRunsOptionsInOrderThenDefaultsThenValid(t *testing.T) {
	var order []string
	cfg := new(reconnect.Config)
	c := newClient(t, cfg,
		func(got *reconnect.Config) error {
			assert.Same(t, cfg, got)
			assert.Zero(t, got.ReadTimeout, "options come before the defaults")
			assert.Nil(t, got.Logger)
			order = append(order, "first")
			got.Remote = "first.test:1"
			return nil
		},
		nil, // is skipped
		func(got *reconnect.Config) error {
			assert.Equal(t, "first.test:1", got.Remote)
			order = append(order, "second")
			got.Remote = pipeRemote // what is missing may come from an option
			got.ReadTimeout = time.Minute
			return nil
		})
	assert.Equal(t, []string{"first", "second"}, order)
	assert.Equal(t, time.Minute, c.Config().ReadTimeout)
	assert.Equal(t, reconnect.DefaultWriteTimeout, c.Config().WriteTimeout)
	assert.Same(t, cfg, c.Config())
}

func TestNewOfNilConfigStartsFromAnEmptyOne(t *testing.T) {
	c := newClient(t, nil, func(cfg *reconnect.Config) error {
		cfg.Remote = pipeRemote
		return nil
	})
	assert.Equal(t, pipeRemote, c.Config().Remote)

	_, err := reconnect.New(nil)
	require.ErrorIs(t, err, core.ErrInvalid)
	require.ErrorContains(t, err, "Remote")
}

func TestNewReturnsAnOptionsErrorAsItIs(t *testing.T) {
	broken := errors.New("broken option")
	later := false
	c, err := reconnect.New(&reconnect.Config{Remote: pipeRemote},
		func(*reconnect.Config) error { return broken },
		func(*reconnect.Config) error { later = true; return nil })
	assert.Nil(t, c)
	assert.True(t, err == broken, "not wrapped: %v", err)
	assert.False(t, later)

	_, err = reconnect.New(nil, func(*reconnect.Config) error { return listError{"a"} })
	assert.Equal(t, listError{"a"}, err)
}

func TestFailedNewLeavesTheConfigFree(t *testing.T) {
	goexit := func(*reconnect.Config) error { runtime.Goexit(); return nil }
	for name, option := range map[string]reconnect.OptionFunc{
		"error":   func(*reconnect.Config) error { return errors.New("no") },
		"panic":   func(*reconnect.Config) error { panic("no") },
		"goexit":  goexit,
		"invalid": func(cfg *reconnect.Config) error { cfg.Remote = "nonsense"; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := &reconnect.Config{Remote: pipeRemote}
			var wg sync.WaitGroup
			wg.Go(func() { // its own goroutine to end
				_, err := reconnect.New(cfg, option)
				assert.Error(t, err)
				assert.NotErrorIs(t, err, reconnect.ErrConfigBusy)
			})
			wg.Wait()
			cfg.Remote = pipeRemote
			newClient(t, cfg)
		})
	}
}

func TestOptionThatPanicsIsAnErrorWithItsStack(t *testing.T) {
	_, err := reconnect.New(&reconnect.Config{Remote: pipeRemote}, func(*reconnect.Config) error {
		panic("boom")
	})
	requirePanicError(t, err, "boom")
}

func TestOptionThatReplacesTheWholeConfigKeepsItBusy(t *testing.T) {
	cfg := new(reconnect.Config)
	newClient(t, cfg, func(cfg *reconnect.Config) error {
		*cfg = reconnect.Config{Remote: pipeRemote}
		return nil
	})
	_, err := reconnect.New(cfg)
	require.ErrorIs(t, err, reconnect.ErrConfigBusy)
}

func TestSecondNewIsRefusedBeforeAnyOptionRuns(t *testing.T) {
	cfg := &reconnect.Config{Remote: pipeRemote}
	c := newClient(t, cfg)
	refuse := func() {
		_, err := reconnect.New(cfg, func(*reconnect.Config) error {
			t.Error("option runs")
			return nil
		})
		require.ErrorIs(t, err, reconnect.ErrConfigBusy)
		require.ErrorIs(t, err, fs.ErrPermission)
	}
	refuse()
	refuse()
	require.NoError(t, c.Shutdown(guarded(t)))
	refuse() // one Config, one Client, also after its end
}

func TestNewWithinAnOptionFindsTheConfigBusy(t *testing.T) {
	cfg := &reconnect.Config{Remote: pipeRemote}
	newClient(t, cfg, func(cfg *reconnect.Config) error {
		_, err := reconnect.New(cfg)
		assert.ErrorIs(t, err, reconnect.ErrConfigBusy)
		return nil
	})
	_, err := reconnect.New(cfg)
	require.ErrorIs(t, err, reconnect.ErrConfigBusy, "the failure within must not free it")
}

func TestConcurrentNewsMakeExactlyOneClient(t *testing.T) {
	for range 50 {
		cfg := &reconnect.Config{Remote: pipeRemote}
		var made, options atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 8 {
			wg.Go(func() {
				<-start
				_, err := reconnect.New(cfg, func(*reconnect.Config) error {
					options.Add(1)
					return nil
				})
				if err == nil {
					made.Add(1)
				} else {
					assert.ErrorIs(t, err, reconnect.ErrConfigBusy)
				}
			})
		}
		close(start)
		wg.Wait()
		require.EqualValues(t, 1, made.Load())
		require.EqualValues(t, 1, options.Load())
	}
}

func TestConfigCopiedByValueIsFree(t *testing.T) {
	cfg := &reconnect.Config{Remote: pipeRemote}
	newClient(t, cfg)
	other := *cfg
	newClient(t, &other)
	third := other
	newClient(t, &third)
	for _, busy := range []*reconnect.Config{cfg, &other, &third} {
		_, err := reconnect.New(busy)
		require.ErrorIs(t, err, reconnect.ErrConfigBusy)
	}
}

func TestMustPanicsWhereNewFails(t *testing.T) {
	assert.NotNil(t, reconnect.Must(&reconnect.Config{Remote: pipeRemote}))
	assert.Panics(t, func() { reconnect.Must(nil) })
}

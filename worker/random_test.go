package worker_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/worker"
)

// machine is a group that many goroutines do things to, and what must hold for
// it whatever they do.
type machine struct {
	t      *testing.T
	group  worker.Group
	parent context.CancelCauseFunc

	told            atomic.Int32 // calls of OnCancel
	begun, finished atomic.Int32 // functions
}

func newMachine(t *testing.T, withParent bool) *machine {
	m := &machine{t: t, parent: func(error) {}}
	if withParent {
		m.group.Parent, m.parent = context.WithCancelCause(context.Background())
	}
	m.group.OnCancel = func(cause error) {
		m.told.Add(1)
		assert.Error(t, cause)
		assert.Error(t, m.group.Context().Err())
		assert.False(t, isClosed(m.group.Done()), "done before OnCancel has returned")
	}
	return m
}

// function returns one whose end is of the given kind.
func (m *machine) function(kind byte) worker.Func {
	return func(ctx context.Context) error {
		m.begun.Add(1)
		defer func() {
			assert.False(m.t, isClosed(m.group.Done()), "done before a function has returned")
			m.finished.Add(1)
		}()
		switch kind % 8 {
		case 0:
			return errFirst
		case 1:
			panic(errSecond)
		case 2:
			runtime.Goexit()
		case 3:
			m.group.Go(m.function(5), m.function(6))
		case 4:
			m.group.Cancel(errSecond)
		case 5:
			<-ctx.Done()
		}
		return nil
	}
}

// do is one step. Those that stop the group are rare, or there would be nothing
// else to see.
func (m *machine) do(step byte) {
	g, arg := &m.group, step>>4
	switch step & 15 {
	case 0, 1, 2:
		g.Go(m.function(5+arg%3), nil, m.function(6))
	case 3:
		g.Go(m.function(arg))
	case 4, 5:
		g.GoCatch(m.function(arg), func(context.Context, error) error { return nil })
	case 6:
		g.GoCatch(m.function(arg), func(context.Context, error) error { panic("catch") })
	case 7:
		if arg == 0 {
			g.Cancel(errFirst)
		}
	case 8:
		if arg == 0 {
			_ = g.Wait()
		}
	case 9:
		if arg == 0 {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = g.Shutdown(ctx)
		}
	case 10:
		if arg == 0 {
			m.parent(errSecond)
		}
	case 11:
		assert.Equal(m.t, g.Done(), g.Done())
	case 12:
		if g.Err() != nil {
			assert.Error(m.t, g.Context().Err())
		}
	default:
		runtime.Gosched()
	}
}

// play spreads the steps over a few goroutines, stops the group, and checks that
// it has come to its end in an orderly manner.
func (m *machine) play(steps []byte) {
	const players = 6
	var wg sync.WaitGroup
	for p := range players {
		wg.Go(func() {
			for i := p; i < len(steps); i += players {
				m.do(steps[i])
			}
		})
	}
	runtime.Gosched()
	if len(steps)%2 == 0 {
		m.group.Cancel(nil)
	} else {
		m.parent(nil)
		m.group.Cancel(nil)
	}
	err := m.group.Wait()
	wg.Wait()

	assert.True(m.t, isClosed(m.group.Done()))
	assert.Equal(m.t, err, m.group.Err(), "the reason changed")
	assert.Equal(m.t, err, m.group.Shutdown(context.Background()))
	assert.EqualValues(m.t, 1, m.told.Load(), "calls of OnCancel")
	assert.Equal(m.t, m.begun.Load(), m.finished.Load(), "functions begun and finished")
	begun := m.begun.Load()
	m.group.Go(m.function(6))
	assert.Equal(m.t, begun, m.begun.Load(), "a function ran after the end")
	m.parent(nil)
}

func TestGroupEndsInOrderWhateverIsDoneToIt(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		steps := make([]byte, rnd.IntN(120))
		for i := range steps {
			steps[i] = byte(rnd.Uint32())
		}
		newMachine(t, rnd.IntN(2) == 0).play(steps)
		require.False(t, t.Failed(), "seed %d", seed)
	}
}

func FuzzGroupEndsInOrder(f *testing.F) {
	f.Add([]byte{}, true)
	f.Add([]byte{0, 8, 8, 3, 0x13, 0x23, 7}, false)
	f.Add([]byte{0, 0, 0, 0, 0, 0, 10, 8, 9}, true)
	f.Fuzz(func(t *testing.T, steps []byte, withParent bool) {
		newMachine(t, withParent).play(steps[:min(len(steps), 500)])
	})
}

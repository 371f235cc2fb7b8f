package reconnect_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// FuzzLimits has calls made while timeouts are reloaded and deadlines set and
// reset, in an order drawn from seed, and holds each call against a model: one
// begun under a bound has a limit that counts from its begin or from the last
// reset, one begun without has none until a reset, and a deadline that was set
// counts for all.
func FuzzLimits(f *testing.F) {
	for seed := range uint64(500) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		synctest.Test(t, func(t *testing.T) { newLimitsModel(t, rand.New(rand.NewPCG(seed, 0))).run(t) })
	})
}

// A limitsModel is a client of a peer that reads and writes a byte now and then,
// and what is known of its calls.
type limitsModel struct {
	*reconnect.Client
	random *rand.Rand
	peer   chan func(net.Conn)
	calls  sync.WaitGroup
	begin  time.Time

	mu     sync.Mutex // guards the fields below, and the halves
	halves [2]*limitsHalf
	log    []string
}

// A limitsHalf is one direction, as the model sees it.
type limitsHalf struct {
	do       call
	set      func(time.Duration) error
	reset    func() error
	serve    func(net.Conn)
	bound    time.Duration
	fixed    bool
	deadline time.Time // where it is fixed; zero for none
	underWay map[*limitedCall]bool
}

// A limitedCall may end in a time-out between two moments; zero for never.
type limitedCall struct{ early, late time.Time }

func (l *limitedCall) bound(d time.Duration) {
	*l = limitedCall{}
	if d > 0 {
		l.early = time.Now().Add(d)
		l.late = l.early.Add(d / 16)
	}
}

func newLimitsModel(t *testing.T, random *rand.Rand) *limitsModel {
	m := &limitsModel{random: random, peer: make(chan func(net.Conn), 100), begin: time.Now()}
	p := newPipe(t, func(conn net.Conn) {
		for serve := range m.peer {
			_ = conn.SetDeadline(time.Now().Add(1))
			serve(conn)
		}
	})
	m.halves[0] = &limitsHalf{do: readOne, serve: func(conn net.Conn) { _, _ = conn.Write([]byte("x")) }}
	m.halves[1] = &limitsHalf{do: writeOne, serve: func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }}
	for _, h := range m.halves {
		h.bound = m.pick()
		h.underWay = make(map[*limitedCall]bool)
	}
	m.Client = connectPipe(t, p, func(cfg *reconnect.Config) {
		cfg.ReadTimeout, cfg.WriteTimeout = m.halves[0].bound, m.halves[1].bound
	})
	m.halves[0].set, m.halves[0].reset = m.SetReadDeadline, m.ResetReadDeadline
	m.halves[1].set, m.halves[1].reset = m.SetWriteDeadline, m.ResetWriteDeadline
	return m
}

func (m *limitsModel) pick() time.Duration {
	return []time.Duration{-1, time.Second, 2 * time.Second, 5 * time.Second, time.Minute}[m.random.IntN(5)]
}

func (m *limitsModel) say(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf("%v ", time.Since(m.begin))+fmt.Sprintf(format, args...))
}

func (m *limitsModel) run(t *testing.T) {
	m.say("bounds %v, %v", m.halves[0].bound, m.halves[1].bound)
	for range 40 {
		// Nothing happens at the moment of anything else.
		time.Sleep(time.Duration(m.random.Int64N(int64(3 * time.Second))))
		synctest.Wait()
		m.step(t)
		synctest.Wait()
		m.checkLate(t)
		if t.Failed() {
			break
		}
	}
	time.Sleep(2 * time.Minute)
	synctest.Wait()
	m.checkLate(t)
	if t.Failed() {
		t.Log(m.log)
	}
	m.mu.Lock()
	for _, h := range m.halves {
		clear(h.underWay) // what comes now is the stop
	}
	m.mu.Unlock()
	require.NoError(t, m.Shutdown(t.Context()))
	m.calls.Wait()
	close(m.peer)
}

// step does one of the things that a user, or the peer, may do.
func (m *limitsModel) step(t *testing.T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	which := m.random.IntN(2)
	h := m.halves[which]
	switch n := m.random.IntN(14); {
	case n < 5:
		m.say("call %d", which)
		m.call(t, which)
	case n < 7:
		m.say("peer %d", which)
		m.peer <- h.serve
	case n < 10:
		m.halves[0].bound, m.halves[1].bound = m.pick(), m.pick()
		m.say("reload %v, %v", m.halves[0].bound, m.halves[1].bound)
		m.Config().ReadTimeout, m.Config().WriteTimeout = m.halves[0].bound, m.halves[1].bound
		require.NoError(t, m.Reload())
	case n < 12:
		m.say("reset %d", which)
		require.NoError(t, h.reset())
		h.fixed = false
		for l := range h.underWay {
			l.bound(h.bound)
		}
	default:
		d := []time.Duration{0, time.Second, 3 * time.Second, 20 * time.Second}[m.random.IntN(4)]
		m.say("set %d %v", which, d)
		require.NoError(t, h.set(d))
		h.fixed, h.deadline = true, time.Time{}
		if d > 0 {
			h.deadline = time.Now().Add(d)
		}
	}
}

func (m *limitsModel) call(t *testing.T, which int) {
	h, l := m.halves[which], new(limitedCall)
	if !h.fixed {
		l.bound(h.bound)
	}
	h.underWay[l] = true
	m.calls.Go(func() {
		_, err := h.do(m.Client)
		m.mu.Lock()
		defer m.mu.Unlock()
		if !h.underWay[l] {
			return
		}
		delete(h.underWay, l)
		m.say("call %d ended: %v", which, err)
		switch early := l.early; {
		case err == nil:
		case !assert.ErrorIs(t, err, os.ErrDeadlineExceeded):
		case h.fixed:
			assert.False(t, h.deadline.IsZero() || time.Now().Before(h.deadline), "early")
		default:
			assert.False(t, early.IsZero() || time.Now().Before(early), "early")
		}
	})
}

// checkLate looks for calls whose time is over.
func (m *limitsModel) checkLate(t *testing.T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for which, h := range m.halves {
		for l := range h.underWay {
			late := l.late
			if h.fixed {
				late = h.deadline
			}
			assert.False(t, !late.IsZero() && time.Now().After(late), "call %d is late", which)
		}
	}
}

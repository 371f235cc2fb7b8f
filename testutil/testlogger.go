package testutil

import (
	"sync"

	"darvaza.org/slog"
)

// NewTestLogger makes a logger that keeps messages of all levels and also adds
// them to the log of the test. After the end of the test it only keeps them, so
// that a straggler's message doesn't panic.
func NewTestLogger(tb TB) *Logger {
	m := &logMirror{tb: tb}
	tb.Cleanup(m.end)
	return newLogger(slog.Debug, m.log)
}

// logMirror passes entries on until its test ends.
type logMirror struct {
	tb TB

	mu      sync.Mutex     // guards the fields below
	ended   bool           // no calls from here on
	ongoing sync.WaitGroup // calls of tb.Logf; none is added once ended
}

func (m *logMirror) log(e Entry) {
	if !m.begin() {
		return
	}
	defer m.ongoing.Done()
	m.tb.Helper()
	m.tb.Logf("%s", e)
}

func (m *logMirror) begin() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return false
	}
	m.ongoing.Add(1)
	return true
}

// end waits for calls under way: one may have passed begin just before, and
// testing panics when a line comes in after the test is complete.
func (m *logMirror) end() {
	m.mu.Lock()
	m.ended = true
	m.mu.Unlock()
	m.ongoing.Wait()
}

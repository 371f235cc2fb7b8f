package testutil

import (
	"sync"

	"darvaza.org/slog"
)

// NewTestLogger makes a logger that keeps messages of all levels and also adds
// them to the log of the test. After the end of the test it only keeps them, so
// that a straggler's message doesn't panic. It may be used in bubbles of
// testing/synctest, wherever it was made.
func NewTestLogger(tb TB) *Logger {
	m := &logMirror{tb: tb}
	tb.Cleanup(m.end)
	return newLogger(slog.Debug, m.log)
}

// logMirror passes entries on until its test ends.
type logMirror struct {
	tb TB

	// mu is held for reading by calls of tb.Logf. A sync.WaitGroup would belong to the
	// first bubble that it was used in.
	mu    sync.RWMutex
	ended bool // no calls from here on
}

func (m *logMirror) log(e Entry) {
	text := e.String() // by methods of the user's, which may log as well
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.ended {
		return
	}
	m.tb.Helper()
	m.tb.Logf("%s", text)
}

// end waits for calls under way: testing panics when a line comes in after the
// test is complete.
func (m *logMirror) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
}

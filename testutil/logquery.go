package testutil

import (
	"slices"
	"strings"

	"darvaza.org/slog"
)

// Entries gives all entries so far, in order. Those that were printed at the
// same time by several goroutines stand in the order in which they arrived.
func (l *Logger) Entries() []Entry {
	l.record.mu.Lock()
	defer l.record.mu.Unlock()
	return slices.Clone(l.record.entries)
}

// Count gives the number of entries of exactly that level.
func (l *Logger) Count(level slog.LogLevel) int {
	n := 0
	for _, e := range l.Entries() {
		if e.Level == level {
			n++
		}
	}
	return n
}

// Find gives the first entry of exactly that level whose message contains
// substring. With slog.UndefinedLevel any level will do.
func (l *Logger) Find(level slog.LogLevel, substring string) (Entry, bool) {
	for _, e := range l.Entries() {
		if (level == slog.UndefinedLevel || e.Level == level) && strings.Contains(e.Message, substring) {
			return e, true
		}
	}
	return Entry{}, false
}

// Reset forgets all entries, also for the loggers derived from this one.
func (l *Logger) Reset() {
	l.record.mu.Lock()
	defer l.record.mu.Unlock()
	l.record.entries = nil
}

// Text gives the entries, each on a line of its own, for the message of a
// failed assertion.
func (l *Logger) Text() string {
	var b strings.Builder
	for _, e := range l.Entries() {
		b.WriteString(e.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// String says what this is and no more, since an entry may have a field in which there is
// the logger itself.
func (l *Logger) String() string { return "testutil.Logger" }

// GoString is [Logger.String].
func (l *Logger) GoString() string { return l.String() }

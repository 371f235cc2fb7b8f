package testutil

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"darvaza.org/core"
	"darvaza.org/slog"
)

var _ slog.Logger = (*Logger)(nil)

// Logger is a [slog.Logger] that keeps what is logged, to be looked at by a
// test. Loggers derived from it by levels and fields add to the same record,
// whichever of them is asked. It comes from [NewLogger] or [NewTestLogger], and
// is safe for concurrent use. Messages at the levels Fatal and Panic are kept
// like any other: they neither exit nor panic.
type Logger struct {
	record *logRecord
	level  slog.LogLevel
	fields map[string]any // shared between loggers, so never written to
	stack  core.Stack
}

// logRecord is what all loggers derived from one share.
type logRecord struct {
	threshold slog.LogLevel
	mirror    func(Entry) // nil, or told of each entry outside of mu

	mu      sync.Mutex // guards the fields below
	entries []Entry
}

// NewLogger makes a logger that keeps messages down to the given level:
// slog.Warn keeps Panic, Fatal, Error and Warn, slog.Debug keeps them all, and
// so does slog.UndefinedLevel. Fatal and Panic are kept whatever the threshold,
// and so are messages printed without a level.
func NewLogger(threshold slog.LogLevel) *Logger {
	return newLogger(threshold, nil)
}

func newLogger(threshold slog.LogLevel, mirror func(Entry)) *Logger {
	if threshold <= slog.UndefinedLevel {
		threshold = slog.Debug
	}
	return &Logger{record: &logRecord{threshold: threshold, mirror: mirror}}
}

// Debug is WithLevel(slog.Debug).
func (l *Logger) Debug() slog.Logger { return l.WithLevel(slog.Debug) }

// Info is WithLevel(slog.Info).
func (l *Logger) Info() slog.Logger { return l.WithLevel(slog.Info) }

// Warn is WithLevel(slog.Warn).
func (l *Logger) Warn() slog.Logger { return l.WithLevel(slog.Warn) }

// Error is WithLevel(slog.Error).
func (l *Logger) Error() slog.Logger { return l.WithLevel(slog.Error) }

// Fatal is WithLevel(slog.Fatal); printing to it doesn't exit.
func (l *Logger) Fatal() slog.Logger { return l.WithLevel(slog.Fatal) }

// Panic is WithLevel(slog.Panic); printing to it doesn't panic.
func (l *Logger) Panic() slog.Logger { return l.WithLevel(slog.Panic) }

// WithLevel gives a logger for messages of that level, with the same fields.
func (l *Logger) WithLevel(level slog.LogLevel) slog.Logger {
	derived := *l
	derived.level = level
	return &derived
}

// WithStack gives a logger whose entries carry the call stack of this call,
// less the innermost skip functions.
func (l *Logger) WithStack(skip int) slog.Logger {
	derived := *l
	derived.stack = core.StackTrace(max(skip, 0) + 1)
	return &derived
}

// WithField gives a logger whose entries have one more field. A field of the
// same label is replaced; an empty label is ignored.
func (l *Logger) WithField(label string, value any) slog.Logger {
	return l.WithFields(map[string]any{label: value})
}

// WithFields is WithField for several. The map may be changed afterwards.
func (l *Logger) WithFields(fields map[string]any) slog.Logger {
	merged := make(map[string]any, len(l.fields)+len(fields))
	maps.Copy(merged, l.fields)
	maps.Copy(merged, fields)
	delete(merged, "")

	derived := *l
	derived.fields = merged
	return &derived
}

// Enabled tells whether a message printed here would be kept.
func (l *Logger) Enabled() bool {
	return l.level <= slog.Fatal || l.level <= l.record.threshold
}

// WithEnabled gives the logger itself and whether it is enabled.
func (l *Logger) WithEnabled() (slog.Logger, bool) { return l, l.Enabled() }

// Print keeps a message put together like fmt.Sprint does.
func (l *Logger) Print(args ...any) {
	if l.Enabled() {
		l.add(fmt.Sprint(args...))
	}
}

// Println keeps a message put together like fmt.Sprintln does, less the line
// end.
func (l *Logger) Println(args ...any) {
	if l.Enabled() {
		l.add(fmt.Sprintln(args...))
	}
}

// Printf keeps a message put together like fmt.Sprintf does. Nothing is
// formatted when the logger isn't enabled.
func (l *Logger) Printf(format string, args ...any) {
	if l.Enabled() {
		l.add(fmt.Sprintf(format, args...))
	}
}

func (l *Logger) add(message string) {
	e := Entry{
		Level:   l.level,
		Message: strings.TrimRight(message, "\r\n"),
		Fields:  maps.Clone(l.fields),
		Time:    time.Now(),
		Stack:   l.stack,
	}
	l.record.mu.Lock()
	l.record.entries = append(l.record.entries, e)
	l.record.mu.Unlock()

	if l.record.mirror != nil {
		l.record.mirror(e)
	}
}

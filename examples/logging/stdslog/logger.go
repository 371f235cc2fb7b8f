package stdslog

import (
	std "log/slog"
	"slices"

	"darvaza.org/slog"
)

// StackKey is the name of the attribute that [slog.Logger.WithStack] adds: the
// call stack, a function and a place per line.
const StackKey = "stack"

// logger is never changed after it was made: every method that seems to makes
// another one. So it needs no lock, and branches don't see each other's fields.
type logger struct {
	handler std.Handler
	level   slog.LogLevel
	attrs   []std.Attr // no label twice; shared, so never written to
}

// New makes a logger of a handler; [std.Logger.Handler] has that of a logger one
// has already. The logger prints at the info level until told otherwise, and may
// be used concurrently. A nil handler discards everything.
//
// What is printed at the fatal level ends the program with exit code 1, and at
// the panic level it panics with the message, also where the handler doesn't
// want such a record. An unknown level below debug counts as debug; what is no
// level at all leaves the logger as it is. Errors of the handler are dropped: there
// is nobody to tell.
func New(handler std.Handler) slog.Logger {
	if handler == nil {
		handler = std.DiscardHandler
	}
	return &logger{handler: handler, level: slog.Info}
}

func (l *logger) Debug() slog.Logger { return l.WithLevel(slog.Debug) }
func (l *logger) Info() slog.Logger  { return l.WithLevel(slog.Info) }
func (l *logger) Warn() slog.Logger  { return l.WithLevel(slog.Warn) }
func (l *logger) Error() slog.Logger { return l.WithLevel(slog.Error) }
func (l *logger) Fatal() slog.Logger { return l.WithLevel(slog.Fatal) }
func (l *logger) Panic() slog.Logger { return l.WithLevel(slog.Panic) }

func (l *logger) WithLevel(level slog.LogLevel) slog.Logger {
	level = min(level, slog.Debug)
	if level <= slog.UndefinedLevel || level == l.level {
		return l
	}
	return &logger{handler: l.handler, level: level, attrs: l.attrs}
}

func (l *logger) WithStack(skip int) slog.Logger {
	return l.WithField(StackKey, callStack(skip+1))
}

// WithField replaces a field of the same label.
func (l *logger) WithField(label string, value any) slog.Logger {
	if label == "" {
		return l
	}
	return l.with(std.Any(label, value))
}

// WithFields adds the fields in the order of their labels, so that lines of the
// same kind look the same.
func (l *logger) WithFields(fields map[string]any) slog.Logger {
	labels := make([]string, 0, len(fields))
	for label := range fields {
		if label != "" {
			labels = append(labels, label)
		}
	}
	if len(labels) == 0 {
		return l
	}
	slices.Sort(labels)
	attrs := make([]std.Attr, len(labels))
	for i, label := range labels {
		attrs[i] = std.Any(label, fields[label])
	}
	return l.with(attrs...)
}

func (l *logger) with(more ...std.Attr) *logger {
	attrs := make([]std.Attr, 0, len(l.attrs)+len(more))
	for _, a := range l.attrs {
		if !slices.ContainsFunc(more, func(b std.Attr) bool { return a.Key == b.Key }) {
			attrs = append(attrs, a)
		}
	}
	return &logger{handler: l.handler, level: l.level, attrs: append(attrs, more...)}
}

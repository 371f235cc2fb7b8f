package testutil

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"darvaza.org/core"
	"darvaza.org/slog"
)

// Entry is what a [Logger] keeps of one message.
type Entry struct {
	// Level is slog.UndefinedLevel for a message printed without one.
	Level slog.LogLevel
	// Message has no line end, however it was printed.
	Message string
	// Fields are those attached at the time; empty if there were none.
	Fields map[string]any
	// Time is when it was printed.
	Time time.Time
	// Stack is empty unless WithStack asked for it.
	Stack core.Stack
}

// String gives level, message and fields on one line, the fields by name. What takes
// more lines than one is quoted.
func (e Entry) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-5s %s", levelName(e.Level), oneLine(e.Message))
	for _, label := range slices.Sorted(maps.Keys(e.Fields)) {
		fmt.Fprintf(&b, " %s=%s", oneLine(label), oneLine(fmt.Sprint(e.Fields[label])))
	}
	return b.String()
}

func oneLine(s string) string {
	if strings.ContainsAny(s, "\r\n") {
		return strconv.Quote(s)
	}
	return s
}

func levelName(level slog.LogLevel) string {
	switch level {
	case slog.Panic:
		return "panic"
	case slog.Fatal:
		return "fatal"
	case slog.Error:
		return "error"
	case slog.Warn:
		return "warn"
	case slog.Info:
		return "info"
	case slog.Debug:
		return "debug"
	case slog.UndefinedLevel:
		return "-"
	default:
		return fmt.Sprintf("level(%d)", int8(level))
	}
}

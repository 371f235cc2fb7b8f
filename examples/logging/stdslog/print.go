package stdslog

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	std "log/slog"

	"darvaza.org/slog"
)

// Enabled tells if the handler wants such a record. It is true as well for the
// levels that end something, whatever the handler wants.
func (l *logger) Enabled() bool {
	return l.ends() || l.wanted()
}

func (l *logger) WithEnabled() (slog.Logger, bool) { return l, l.Enabled() }

func (l *logger) Print(args ...any) {
	if l.Enabled() {
		l.print(fmt.Sprint(args...))
	}
}

func (l *logger) Println(args ...any) {
	if l.Enabled() {
		l.print(fmt.Sprintln(args...))
	}
}

func (l *logger) Printf(format string, args ...any) {
	if l.Enabled() {
		l.print(fmt.Sprintf(format, args...))
	}
}

// print is called by what the user has called: that is how it finds the line.
func (l *logger) print(message string) {
	message = strings.TrimSpace(message)
	if l.wanted() {
		var caller [1]uintptr
		runtime.Callers(3, caller[:]) // past Callers, print and Print
		record := std.NewRecord(time.Now(), stdLevel(l.level), message, caller[0])
		record.AddAttrs(l.attrs...)
		_ = l.handler.Handle(context.Background(), record)
	}
	switch l.level {
	case slog.Fatal:
		os.Exit(1)
	case slog.Panic:
		panic(message)
	}
}

func (l *logger) wanted() bool {
	return l.handler.Enabled(context.Background(), stdLevel(l.level))
}

func (l *logger) ends() bool {
	return l.level == slog.Fatal || l.level == slog.Panic
}

// callStack describes who has called, less the innermost skip functions.
func callStack(skip int) string {
	pcs := make([]uintptr, 32)
	pcs = pcs[:runtime.Callers(max(skip, 0)+2, pcs)]
	var b strings.Builder
	for frames := runtime.CallersFrames(pcs); ; {
		f, more := frames.Next()
		if f.Function != "" {
			_, _ = fmt.Fprintf(&b, "%s %s:%d\n", f.Function, f.File, f.Line)
		}
		if !more {
			return strings.TrimSpace(b.String())
		}
	}
}

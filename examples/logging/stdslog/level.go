package stdslog

import (
	std "log/slog"

	"darvaza.org/slog"
)

// Levels of what log/slog has no level for. A text handler shows them as ERROR+4
// and ERROR+8.
const (
	LevelFatal = std.LevelError + 4
	LevelPanic = std.LevelError + 8
)

// stdLevel gives the level of log/slog that stands for one that WithLevel has
// let through.
func stdLevel(level slog.LogLevel) std.Level {
	switch level {
	case slog.Panic:
		return LevelPanic
	case slog.Fatal:
		return LevelFatal
	case slog.Error:
		return std.LevelError
	case slog.Warn:
		return std.LevelWarn
	case slog.Info:
		return std.LevelInfo
	default:
		return std.LevelDebug
	}
}

// Package stdslog puts a handler of the standard library's log/slog behind the
// interface of darvaza.org/slog, which has handlers for zap, zerolog and others
// but none for that.
//
// [New] is all there is:
//
//	cfg.Logger = stdslog.New(slog.Default().Handler())
//
// Fields become attributes, and the source of a record is the line that printed
// it. Levels become those of log/slog; [LevelFatal] and [LevelPanic], of which it
// has none, lie above its error level.
package stdslog

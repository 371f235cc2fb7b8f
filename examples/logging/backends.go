package main

import (
	"io"
	std "log/slog"

	"darvaza.org/slog"
	slogzap "darvaza.org/slog/handlers/zap"
	slogzerolog "darvaza.org/slog/handlers/zerolog"
	"github.com/rs/zerolog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"darvaza.org/x/net/examples/logging/stdslog"
)

// A backend makes a logger that writes to w.
type backend struct {
	name string
	open func(w io.Writer, debug bool) (slog.Logger, error)
}

var backends = []backend{
	{"slog", openSlog},
	{"zap", openZap},
	{"zerolog", openZerolog},
}

// openSlog takes a handler of log/slog as it is.
func openSlog(w io.Writer, debug bool) (slog.Logger, error) {
	level := std.LevelInfo
	if debug {
		level = std.LevelDebug
	}
	return stdslog.New(std.NewJSONHandler(w, &std.HandlerOptions{Level: level})), nil
}

// openZap takes a zap logger that one has already. The handler wants to build
// one itself, from a configuration; but an option can exchange all of that for
// the core of another.
func openZap(w io.Writer, debug bool) (slog.Logger, error) {
	level := zap.InfoLevel
	if debug {
		level = zap.DebugLevel
	}
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	mine := zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), level))

	return slogzap.New(nil, zap.WrapCore(func(zapcore.Core) zapcore.Core { return mine.Core() }))
}

// openZerolog takes a zerolog logger as it is. Below its level the client puts
// no line together.
func openZerolog(w io.Writer, debug bool) (slog.Logger, error) {
	level := zerolog.InfoLevel
	if debug {
		level = zerolog.DebugLevel
	}
	mine := zerolog.New(zerolog.SyncWriter(w)).Level(level).With().Timestamp().Logger()
	return slogzerolog.New(&mine), nil
}

// Command logging shows the log of a client as each of three libraries writes
// it: the standard library's log/slog, zap and zerolog.
//
// The client knows only the interface of darvaza.org/slog. Handlers for zap and
// zerolog exist; the one for log/slog is the package stdslog next to this program,
// made for use by others. Each library gets the same story, of a server that
// closes a connection once; then the program ends.
//
// The part to read first is backends.go.
package main

import (
	"context"
	"flag"
	"io"

	"darvaza.org/x/net/examples/internal/demo"
)

func main() {
	backend := flag.String("backend", "all", "which `library` is to write: slog, zap, zerolog or all")
	debug := flag.Bool("debug", false, "show the debug level too")
	flag.Parse()

	demo.Main("logging", func(ctx context.Context, out io.Writer) error {
		return run(ctx, out, *backend, *debug)
	})
}

// Command quickstart shows a client that keeps its connection alive while the
// server does all it can to end it.
//
// It starts a server of its own, which stops, restarts, resets connections,
// goes silent and hangs up, all on a schedule, and a client that exchanges
// numbered messages with it, first over TCP and then over a Unix socket. What
// happens is printed as it happens, and at the end a table says what came of
// it. That takes about thirteen seconds; Ctrl-C ends it before.
//
// The part to read first is client.go.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"darvaza.org/x/net/examples/internal/demo"
)

func main() {
	speed := flag.Float64("speed", 1, "how many `times` as fast to play")
	flag.Parse()
	if !(*speed > 0) {
		fmt.Fprintln(os.Stderr, "quickstart: -speed has to be more than 0")
		os.Exit(2)
	}

	demo.Main("quickstart", func(ctx context.Context, out io.Writer) error {
		return run(ctx, out, defaultPace.faster(*speed))
	})
}

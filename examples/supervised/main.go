// Command supervised shows a session of several workers, one of which makes sure
// that somebody is still there: it sends a ping when nothing was read for a
// while, and drops the connection when that isn't answered.
//
// The server, which it starts itself, falls silent in the middle of the first
// session without closing the connection. It ends by itself, and by Ctrl-C.
//
// The part to read first is session.go.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"darvaza.org/x/net/reconnect"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C doesn't wait for anything

	if err := run(ctx, os.Stdout); !reconnect.IsNonError(err) {
		fmt.Fprintln(os.Stderr, "supervised:", err)
		os.Exit(1)
	}
}

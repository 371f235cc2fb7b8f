// Command failover shows a client with two servers to choose from: it stays with
// the first for as long as that works, goes to the second when it doesn't, and
// prefers the first again whenever it has to connect anew.
//
// It starts both servers itself. It ends by itself, and by Ctrl-C.
//
// The part to read first is client.go.
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
		fmt.Fprintln(os.Stderr, "failover:", err)
		os.Exit(1)
	}
}

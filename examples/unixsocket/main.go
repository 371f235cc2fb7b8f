// Command unixsocket shows a client that talks to a local service over a Unix
// socket, and is back as soon as the service is.
//
// It starts that service itself, on a socket in a temporary folder, stops it and
// starts it again. On Linux it does the same with an abstract socket, which has
// a name but no file. It ends by itself, and by Ctrl-C.
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
		fmt.Fprintln(os.Stderr, "unixsocket:", err)
		os.Exit(1)
	}
}

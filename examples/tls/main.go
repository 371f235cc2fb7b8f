// Command tls shows a client and a server that show each other their
// certificates, and go on when these are replaced.
//
// It makes the certificates itself, and a server on loopback. The certificates
// are rotated between two sessions; in the end the server's is one of an
// authority that the client doesn't know, which stops it. It ends by itself, and
// by Ctrl-C.
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
		fmt.Fprintln(os.Stderr, "tls:", err)
		os.Exit(1)
	}
}

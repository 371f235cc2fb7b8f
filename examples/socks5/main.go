// Command socks5 shows a client that reaches its server through a SOCKS5 proxy,
// by the dialer of golang.org/x/net/proxy.
//
// It starts both itself. First the server is lost for a while, then the proxy;
// the client is back each time. It ends by itself, and by Ctrl-C.
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
		fmt.Fprintln(os.Stderr, "socks5:", err)
		os.Exit(1)
	}
}

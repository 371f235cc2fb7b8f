// Command health shows how a program that lives by a connection tells others
// how that connection is: /healthz for whoever restarts or routes around it,
// and /metrics for Prometheus.
//
// Given a remote it keeps a connection to that, drops what it receives, and
// serves both pages until Ctrl-C. Without one it plays with a server of its own:
// it takes it down and up again, prints what the pages say to that, and ends by
// itself after a second or so.
//
// The part to read first is healthz.go, then the package clientmetrics, which is
// made for use by other programs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`address` of the HTTP server")
	remote := flag.String("remote", "", "what to stay connected to, as `host:port` or path of a Unix socket")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C doesn't wait for anything

	var err error
	if *remote != "" {
		err = run(ctx, os.Stdout, *listen, *remote)
	} else {
		err = demo(ctx, os.Stdout, *listen)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "health:", err)
		os.Exit(1)
	}
}

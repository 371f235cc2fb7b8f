// Command health shows how a program that lives by a connection tells others
// how that connection is: /healthz for whoever routes around it, and /metrics for
// Prometheus.
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
	"io"

	"darvaza.org/x/net/examples/internal/demo"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`address` of the HTTP server")
	remote := flag.String("remote", "", "what to stay connected to, as `host:port` or path of a Unix socket")
	flag.Parse()

	demo.Main("health", func(ctx context.Context, out io.Writer) error {
		if *remote != "" {
			return run(ctx, out, *listen, *remote)
		}
		return demonstrate(ctx, out, *listen)
	})
}

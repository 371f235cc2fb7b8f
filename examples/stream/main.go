// Command stream shows a chat: a server that passes on what is said, and two
// clients, one of which is away for a while and misses nothing.
//
// Both sides exchange lines by the StreamSession of package
// darvaza.org/x/net/reconnect/stream. It ends by itself, and by Ctrl-C.
//
// The parts to read first are member.go, a client, and room.go, the server.
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
		fmt.Fprintln(os.Stderr, "stream:", err)
		os.Exit(1)
	}
}

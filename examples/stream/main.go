// Command stream shows a chat: a server that passes on what is said, and two
// clients, one of which is away for a while and misses nothing.
//
// Both sides exchange lines by the StreamSession of package
// darvaza.org/x/net/reconnect/stream. It ends by itself, and by Ctrl-C.
//
// The parts to read first are member.go, a client, and room.go, the server.
package main

import "darvaza.org/x/net/examples/internal/demo"

func main() {
	demo.Main("stream", run)
}

// Command supervised shows a session of several workers, one of which makes sure
// that somebody is still there: it sends a ping when nothing was read for a
// while, and drops the connection when that isn't answered.
//
// The server, which it starts itself, falls silent in the middle of the first
// session without closing the connection. It ends by itself, and by Ctrl-C.
//
// The part to read first is session.go.
package main

import "darvaza.org/x/net/examples/internal/demo"

func main() {
	demo.Main("supervised", run)
}

// Command failover shows a client with two servers to choose from: it stays with
// the first for as long as that works, goes to the second when it doesn't, and
// prefers the first again whenever it has to connect anew.
//
// It starts both servers itself. It ends by itself, and by Ctrl-C.
//
// The part to read first is client.go.
package main

import "darvaza.org/x/net/examples/internal/demo"

func main() {
	demo.Main("failover", run)
}

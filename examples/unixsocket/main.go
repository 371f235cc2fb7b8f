// Command unixsocket shows a client that talks to a local service over a Unix
// socket, and is back as soon as the service is.
//
// It starts that service itself, on a socket in a temporary folder, stops it and
// starts it again. On Linux it does the same with an abstract socket, which has
// a name but no file. It ends by itself, and by Ctrl-C.
//
// The part to read first is client.go.
package main

import "darvaza.org/x/net/examples/internal/demo"

func main() {
	demo.Main("unixsocket", run)
}

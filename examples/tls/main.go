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

import "darvaza.org/x/net/examples/internal/demo"

func main() {
	demo.Main("tls", run)
}

// Command socks5 shows a client that reaches its server through a SOCKS5 proxy,
// by the dialer of golang.org/x/net/proxy.
//
// It starts both itself. First the server is lost for a while, then the proxy;
// the client is back each time. It ends by itself, and by Ctrl-C.
//
// The part to read first is client.go.
package main

import "darvaza.org/x/net/examples/internal/demo"

func main() {
	demo.Main("socks5", run)
}

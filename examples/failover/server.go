package main

import (
	"io"
	"net"

	"darvaza.org/x/net/testutil"
)

// startServer starts a server on loopback that says its name to each client,
// and keeps it for as long as it stays.
func startServer(name string) (*testutil.Server, error) {
	return testutil.StartServer("tcp", "", func(conn net.Conn) {
		if _, err := io.WriteString(conn, name+"\n"); err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, conn)
	})
}

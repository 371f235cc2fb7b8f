package main

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
)

// A greeter is the server: it numbers its guests.
type greeter struct {
	guests atomic.Int32
}

// serve greets one guest, and lets it stay.
func (g *greeter) serve(conn net.Conn) {
	if _, err := fmt.Fprintf(conn, "welcome, guest %d\n", g.guests.Add(1)); err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, conn)
}

package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
)

// A greeter is the service: it numbers its guests.
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

// abstractName is a name that nobody else uses. There are no permissions on
// abstract sockets: any process of the machine that knows the name may connect.
func abstractName() string {
	return fmt.Sprintf("@unixsocket-%d-%s", os.Getpid(), rand.Text())
}

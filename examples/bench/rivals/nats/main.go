// Command nats measures the client of nats.go, against a server that speaks
// just enough of its protocol.
package main

import (
	"bufio"
	"io"
	"net"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"darvaza.org/x/net/examples/bench/rivals/rig"
)

func main() {
	rig.Main(rig.Rival{
		Name:    "nats.go",
		Module:  "github.com/nats-io/nats.go",
		Comment: "ReconnectWait and jitter of 1 ns",
		Start:   start,
		Greet:   greet,
		Hello:   hello,
	})
}

func start(addr string, up func()) (func() error, error) {
	closed := make(chan struct{})
	conn, err := nats.Connect("nats://"+addr,
		nats.MaxReconnects(-1),
		nats.ReconnectWait(time.Nanosecond),
		nats.ReconnectJitter(time.Nanosecond, time.Nanosecond),
		nats.ReconnectHandler(func(*nats.Conn) { up() }),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }),
		nats.PingInterval(time.Hour),
	)
	if err != nil {
		return nil, err
	}
	up()
	return func() error {
		conn.Close()
		<-closed
		return nil
	}, nil
}

// greet is the server's part: it introduces itself, takes what the client
// says, and answers the ping that ends it.
func greet(conn net.Conn) error {
	const info = `INFO {"server_id":"bench","version":"2.10.0","proto":1,"max_payload":1048576}` + "\r\n"
	if _, err := io.WriteString(conn, info); err != nil {
		return err
	}
	if err := skipTo(conn, "PING"); err != nil {
		return err
	}
	_, err := io.WriteString(conn, "PONG\r\n")
	return err
}

// hello is the client's part of the same.
func hello(conn net.Conn) error {
	if _, err := io.WriteString(conn, "CONNECT {}\r\nPING\r\n"); err != nil {
		return err
	}
	return skipTo(conn, "PONG")
}

func skipTo(conn net.Conn, word string) error {
	lines := bufio.NewReaderSize(conn, 1024)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.TrimSpace(line) == word {
			return nil
		}
	}
}

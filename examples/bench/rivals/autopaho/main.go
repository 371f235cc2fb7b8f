// Command autopaho measures the reconnecting client of paho.golang, against a
// server that speaks just enough MQTT.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"darvaza.org/x/net/examples/bench/rivals/rig"
)

func main() {
	rig.Main(rig.Rival{
		Name:    "autopaho",
		Module:  "github.com/eclipse/paho.golang",
		Comment: "ReconnectBackoff of 0",
		Start:   start,
		Greet:   greet,
		Hello:   hello,
		Answer:  answer,
	})
}

func start(addr string, up func()) (func() error, error) {
	server, err := url.Parse("mqtt://" + addr)
	if err != nil {
		return nil, err
	}
	m, err := autopaho.NewConnection(context.Background(), autopaho.ClientConfig{
		ServerUrls:       []*url.URL{server},
		KeepAlive:        3600,
		ReconnectBackoff: func(int) time.Duration { return 0 },
		OnConnectionUp:   func(*autopaho.ConnectionManager, *paho.Connack) { up() },
		ClientConfig:     paho.ClientConfig{ClientID: "bench"},
	})
	if err != nil {
		return nil, err
	}
	return func() error {
		err := m.Disconnect(context.Background())
		<-m.Done()
		return err
	}, nil
}

// Packets of MQTT 5 that have nothing in them but what must be.
var (
	connect = []byte{
		0x10, 0x12, // CONNECT, 18 bytes
		0, 4, 'M', 'Q', 'T', 'T', 5, // protocol and version
		2, 0, 0, // clean start, no keep-alive
		0,                             // no properties
		0, 5, 'b', 'e', 'n', 'c', 'h', // client
	}
	connack = []byte{0x20, 3, 0, 0, 0}
)

// greet is the server's part: it takes the request and agrees.
func greet(conn net.Conn) error {
	if err := skipPacket(conn, connect[0]); err != nil {
		return err
	}
	_, err := conn.Write(connack)
	return err
}

// hello is the client's part of the same.
func hello(conn net.Conn) error {
	if _, err := conn.Write(connect); err != nil {
		return err
	}
	return skipPacket(conn, connack[0])
}

// skipPacket takes a packet of less than 128 bytes.
func skipPacket(conn net.Conn, kind byte) error {
	var header [2]byte
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return err
	}
	if header[0] != kind || header[1] >= 128 {
		return fmt.Errorf("unexpected packet % x", header)
	}
	_, err := io.CopyN(io.Discard, conn, int64(header[1]))
	return err
}

// answer hangs up when the client says goodbye, as a server has to: the client
// waits for that.
func answer(conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

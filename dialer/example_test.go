package dialer_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"darvaza.org/core"
	"darvaza.org/x/net/dialer"
)

// A remote, as it stands in a configuration file, is parsed and dialled.
func Example() {
	remote, stop := startGreeter()
	defer stop()

	network, address, err := dialer.ParseRemote(remote)
	if err != nil {
		fmt.Println(err)
		return
	}

	d := dialer.New(dialer.Config{
		KeepAlive: 10 * time.Second,
		Timeout:   5 * time.Second,
	})
	conn, err := d.DialContext(context.Background(), network, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	greeting, err := io.ReadAll(conn)
	fmt.Printf("%s: %s %v\n", network, greeting, err)
	// Output: unix: hello <nil>
}

func ExampleParseRemote() {
	for _, remote := range []string{
		"example.com:8080", "[::1]:https", "unix:///run/app.sock", "./app.sock", "@app",
		"example.com", "0.0.0.0:80", "unix:",
	} {
		network, address, err := dialer.ParseRemote(remote)
		if err != nil {
			fmt.Println(err, errors.Is(err, core.ErrInvalid))
			continue
		}
		fmt.Println(network, address)
	}
	// Output:
	// tcp example.com:8080
	// tcp [::1]:https
	// unix /run/app.sock
	// unix ./app.sock
	// unix @app
	// dialer: remote "example.com": missing port in address true
	// dialer: remote "0.0.0.0:80": the host is the unspecified address true
	// dialer: remote "unix:": the socket name is empty true
}

// Anything that returns a connection can stand in for the network.
func ExampleFunc() {
	var d dialer.Dialer = dialer.Func(func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			_, _ = io.WriteString(server, "from memory")
		}()
		return client, nil
	})

	conn, err := d.DialContext(context.Background(), "tcp", "example.com:80")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	text, _ := io.ReadAll(conn)
	fmt.Printf("%s\n", text)
	// Output: from memory
}

// A peer that vanishes in the middle of a write is noticed within 20 seconds. That
// is for Linux: elsewhere a TCP dial would fail.
func ExampleUserTimeout() {
	d := dialer.New(dialer.Config{
		OnSocket: dialer.UserTimeout(20 * time.Second),
	})
	_, err := d.DialContext(context.Background(), "unix", "/does/not/exist")
	fmt.Println(err != nil)
	// Output: true
}

// The server's name comes from the address; a Unix socket has none to offer.
func ExampleWithTLS() {
	d := dialer.WithTLS(dialer.New(dialer.Config{Timeout: -1}), &tls.Config{}, 5*time.Second)

	_, err := d.DialContext(context.Background(), "unix", "/run/app.sock")
	fmt.Println(err)
	// Output: dialer: TLS with unix /run/app.sock: the address has no host to verify, ServerName must be set
}

// startGreeter runs a server that says hello once, on a Unix socket.
func startGreeter() (remote string, stop func()) {
	dir, err := os.MkdirTemp("", "dialer")
	if err != nil {
		panic(err)
	}
	path := filepath.Join(dir, "app.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		panic(err)
	}

	done := make(chan struct{})
	go func() {
		defer close(done)
		if conn, err := ln.Accept(); err == nil {
			_, _ = io.WriteString(conn, "hello")
			_ = conn.Close()
		}
	}()
	return "unix:" + path, func() {
		_ = ln.Close()
		<-done
		_ = os.RemoveAll(dir)
	}
}

package besidexnet_test

import (
	"context"
	"fmt"
	"io"

	xnet "darvaza.org/x/net"
	"darvaza.org/x/net/bind"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/waiter"
)

// Each Dialer is as good as the other.
var (
	_ xnet.Dialer   = dialer.Dialer(nil)
	_ dialer.Dialer = xnet.Dialer(nil)
)

// dialUntil tries until the remote answers, over any Dialer of either module.
func dialUntil(ctx context.Context, d xnet.Dialer, remote string) (io.ReadCloser, error) {
	network, address, err := dialer.ParseRemote(remote)
	if err != nil {
		return nil, err
	}
	var backoff waiter.Backoff
	for n := 0; ; n++ {
		conn, err := d.DialContext(ctx, network, address)
		if err == nil {
			return conn, nil
		}
		if waiter.Sleep(ctx, backoff.Delay(n)) != nil {
			return nil, err
		}
	}
}

func Example() {
	listeners, _, err := bind.Bind(&bind.Config{Addresses: []string{"127.0.0.1"}, OnlyTCP: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := listeners[0]
	defer func() { _ = server.Close() }()

	served := make(chan error)
	go func() { // one connection; the end of Example waits for it
		conn, err := server.Accept()
		if err == nil {
			_, err = io.WriteString(conn, "hello")
			_ = conn.Close()
		}
		served <- err
	}()

	conn, err := dialUntil(context.Background(), dialer.New(dialer.Config{}), server.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := io.ReadAll(conn)
	_ = conn.Close()
	fmt.Println(string(text), err, <-served)
	// Output: hello <nil> <nil>
}

package readme_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func subscribe(ctx context.Context, remote string, options ...reconnect.OptionFunc) error {
	client, err := reconnect.New(&reconnect.Config{
		Context: ctx,
		Remote:  remote, // "host:port", "/run/app.sock", "unix:app", "@abstract"

		// The handshake. Deadlines are set, so a silent server can't stall it.
		OnConnect: func(ctx context.Context, conn net.Conn) error {
			_, err := io.WriteString(conn, "subscribe\n")
			return err
		},
		// The protocol, for as long as the connection lasts.
		OnSession: func(ctx context.Context) error {
			lines := bufio.NewScanner(reconnect.ConnFrom(ctx))
			for lines.Scan() {
				fmt.Println(lines.Text())
			}
			return lines.Err() // nil, and errors of the network: connect again
		},
	}, options...)
	if err != nil {
		return err // the Config makes no sense; the error names the field
	}
	if err := client.Connect(); err != nil {
		return err // the first attempt failed, and another would as well
	}
	return client.Wait() // nil if ctx was merely cancelled, else why the client stopped
}

// over is an option that replaces the network by a server in memory, and waits
// for nothing.
func over(server *testutil.PipeListener) reconnect.OptionFunc {
	return func(cfg *reconnect.Config) error {
		cfg.Dialer = server
		cfg.WaitReconnect = reconnect.NewImmediateErrorWaiter(nil)
		return nil
	}
}

func Example_subscribe() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var conns atomic.Int32
	server := testutil.Pipe(func(conn net.Conn) {
		_, _ = bufio.NewReader(conn).ReadString('\n')
		n := conns.Add(1)
		_, _ = fmt.Fprintf(conn, "news of connection %d\n", n)
		if n == 3 {
			cancel()
		}
	})
	defer func() { _ = server.Close() }()

	fmt.Println(subscribe(ctx, "news.example.com:7000", over(server)))
	// Output:
	// news of connection 1
	// news of connection 2
	// news of connection 3
	// <nil>
}

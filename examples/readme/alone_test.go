package readme_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/lifecycle"
	"darvaza.org/x/net/testutil"
	"darvaza.org/x/net/waiter"
	"darvaza.org/x/net/worker"
)

// open dials whatever kind of remote there is in a configuration file. Every
// address of a name gets its try, and all of them have three seconds.
func open(ctx context.Context, remote string) (net.Conn, error) {
	network, address, err := dialer.ParseRemote(remote)
	if err != nil {
		return nil, err
	}
	d := dialer.New(dialer.Config{Timeout: 3 * time.Second})
	return d.DialContext(ctx, network, address)
}

func Example_dialer() {
	server, err := testutil.StartServer("tcp", "", testutil.Echo)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = server.Close() }()

	conn, err := open(context.Background(), server.Remote())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "hello")
	buf := make([]byte, 5)
	_, err = io.ReadFull(conn, buf)
	fmt.Printf("%s %v\n", buf, err)

	_, err = open(context.Background(), "db.example.com:70000")
	fmt.Println(err)
	// Output:
	// hello <nil>
	// dialer: remote "db.example.com:70000": the port is not between 1 and 65535
}

// again calls fn until it works, or there were five waits of it.
func again(ctx context.Context, fn func(context.Context) error) error {
	wait := waiter.Limit(waiter.NewExponential(time.Millisecond, time.Second), 5)
	for n := 0; ; n++ {
		err := fn(ctx)
		if err == nil {
			return nil
		}
		err = wait(waiter.WithAttempt(ctx, waiter.Attempt{Number: n, Err: err}))
		if err != nil {
			return err // that of ctx, or one that matches ErrDoNotReconnect and the error of fn
		}
	}
}

func Example_waiter() {
	calls := 0
	err := again(context.Background(), func(context.Context) error {
		calls++
		return io.ErrUnexpectedEOF
	})
	fmt.Println(calls, errors.Is(err, waiter.ErrDoNotReconnect), errors.Is(err, io.ErrUnexpectedEOF))
	// Output: 6 true true
}

// pump copies in both directions, and ends both when one does: whoever ends his
// half of a connection isn't answered any more.
func pump(ctx context.Context, a, b net.Conn) error {
	return worker.Run(ctx,
		func(context.Context) error { _, err := io.Copy(a, b); return err },
		func(context.Context) error { _, err := io.Copy(b, a); return err },
		func(ctx context.Context) error {
			<-ctx.Done() // the first of the others has ended, or the caller has enough
			return errors.Join(a.Close(), b.Close())
		},
	)
}

func Example_worker() {
	a, client := net.Pipe()
	server, b := net.Pipe()
	go testutil.Echo(server) // ends with its connection, which pump closes
	go func() {
		_, _ = io.WriteString(client, "hello")
		buf := make([]byte, 5)
		_, _ = io.ReadFull(client, buf)
		fmt.Printf("%s\n", buf)
		_ = client.Close()
	}()
	fmt.Println(pump(context.Background(), a, b))
	// Output:
	// hello
	// <nil>
}

// verdict says what an error of the network is worth, in a loop of your own.
func verdict(err error) string {
	if lifecycle.IsFatal(err) {
		return "give up"
	}
	return "try again"
}

func Example_lifecycle() {
	fmt.Println(verdict(io.EOF))
	fmt.Println(verdict(&net.DNSError{Err: "no such host", Name: "db.example.com"}))
	fmt.Println(verdict(net.UnknownNetworkError("tpc")))
	fmt.Println(verdict(errors.New("you are banned")))
	// Output:
	// try again
	// try again
	// give up
	// give up
}

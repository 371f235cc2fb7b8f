package reconnect_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// A client that says hello each time it is connected, and stops when the
// server has said goodbye.
func Example() {
	server := testutil.Pipe(testutil.Lines(func(line string) (string, bool) {
		return "you said " + line, true
	}))
	defer server.Close()

	var client *reconnect.Client
	client, err := reconnect.New(&reconnect.Config{
		Remote: "server.example:7",
		Dialer: server, // in memory; leave it out to dial TCP

		OnSession: func(ctx context.Context) error {
			if _, err := io.WriteString(client, "hello\n"); err != nil {
				return err // judged: network trouble means to try again
			}
			line, err := bufio.NewReader(client).ReadString('\n')
			if err != nil {
				return err
			}
			fmt.Print(line)
			return reconnect.ErrDoNotReconnect
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := client.Connect(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("reason:", client.Wait())
	// Output:
	// you said hello
	// reason: <nil>
}

// What the callbacks are told, and when.
func ExampleConfig() {
	server := testutil.Pipe(testutil.Echo)
	defer server.Close()

	client := reconnect.Must(&reconnect.Config{
		Remote: "server.example:7",
		Dialer: server,
		OnConnect: func(_ context.Context, conn net.Conn) error {
			fmt.Println("connected to", conn.RemoteAddr())
			return nil
		},
		OnSession: func(ctx context.Context) error {
			fmt.Println("session with", reconnect.ConnFrom(ctx).RemoteAddr())
			return errors.New("enough")
		},
		OnDisconnect: func(_ context.Context, conn net.Conn) error {
			fmt.Println("goodbye", conn.RemoteAddr())
			return nil
		},
		OnError: func(_ context.Context, _ net.Conn, err error) error {
			fmt.Println("told of:", err)
			return err // nil would mean to try again
		},
	})
	if err := client.Connect(); err != nil {
		fmt.Println(err)
	}
	fmt.Println("reason:", client.Wait())
	// Output:
	// connected to server.example:7
	// session with server.example:7
	// goodbye server.example:7
	// told of: enough
	// reason: enough
}

// Waits that grow, with jitter, for as long as it takes.
func ExampleNewExponentialWaiter() {
	server := testutil.Pipe(testutil.Echo)
	defer server.Close()

	client := reconnect.Must(&reconnect.Config{
		Remote:        "server.example:7",
		Dialer:        server,
		WaitReconnect: reconnect.NewExponentialWaiter(500*time.Millisecond, 10*time.Second),
	})
	fmt.Println(client.Connect())
	fmt.Println(client.Shutdown(context.Background()))
	// Output:
	// <nil>
	// <nil>
}

// A client that gives up after three waits, which are very short here.
func ExampleLimitWaiter() {
	server := testutil.Pipe(testutil.Echo)
	defer server.Close()
	server.Refuse(testutil.ConnRefused("tcp", "server.example:7"))

	client := reconnect.Must(&reconnect.Config{
		Remote: "server.example:7",
		Dialer: server,
		WaitReconnect: reconnect.LimitWaiter(
			reconnect.NewExponentialWaiter(time.Millisecond, 4*time.Millisecond), 3),
	})
	if err := client.Connect(); err != nil {
		fmt.Println(err)
	}
	err := client.Wait()
	fmt.Println(errors.Is(err, reconnect.ErrDoNotReconnect), client.Status().Attempts)
	// Output:
	// true 4
}

// A start-up that fails when there is no connection within a while, and says
// why.
func ExampleClient_WaitConnected() {
	server := testutil.Pipe(testutil.Echo)
	defer server.Close()
	server.Refuse(testutil.ConnRefused("tcp", "server.example:7"))

	client := reconnect.Must(&reconnect.Config{Remote: "server.example:7", Dialer: server})
	defer client.Shutdown(context.Background())

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err := client.Connect() // nil: a refused connection is worth a retry
	if err == nil {
		err = client.WaitConnected(ctx)
	}
	fmt.Println(errors.Is(err, context.DeadlineExceeded), err != nil)
	// Output:
	// true true
}

// Every change of state, as it happens.
func ExampleConfig_onState() {
	server := testutil.Pipe(testutil.Echo)
	defer server.Close()

	client := reconnect.Must(&reconnect.Config{
		Remote:  "server.example:7",
		Dialer:  server,
		OnState: func(from, to reconnect.State) { fmt.Println(from, "->", to) },
	})
	if err := client.Connect(); err != nil {
		fmt.Println(err)
	}
	if err := client.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// idle -> connecting
	// connecting -> connected
	// connected -> stopped
}

// Workers own the I/O where there is no OnSession: the connection is held open
// for them.
func ExampleClient_Go() {
	server := testutil.Pipe(testutil.Echo)
	defer server.Close()

	client := reconnect.Must(&reconnect.Config{Remote: "server.example:7", Dialer: server})
	client.Go(func(ctx context.Context) error {
		if err := client.WaitConnected(ctx); err != nil {
			return err
		}
		go io.WriteString(client, "ping") // a pipe has no buffer
		buf := make([]byte, 4)
		_, err := io.ReadFull(client, buf)
		fmt.Println(string(buf), err)
		client.Cancel(nil)
		return nil
	})
	if err := client.Connect(); err != nil && !reconnect.IsClosed(err) {
		fmt.Println(err)
	}
	fmt.Println("reason:", client.Wait())
	// Output:
	// ping <nil>
	// reason: <nil>
}

// Another remote, without losing the client.
func ExampleClient_Reload() {
	server := testutil.Pipe(testutil.Echo)
	defer server.Close()

	sessions := make(chan string)
	client := reconnect.Must(&reconnect.Config{
		Remote: "old.example:7",
		Dialer: server,
		OnSession: func(ctx context.Context) error {
			sessions <- reconnect.ConnFrom(ctx).RemoteAddr().String()
			<-ctx.Done()
			return ctx.Err() // means "go on", as long as the client isn't stopping
		},
	})
	if err := client.Connect(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-sessions)

	client.Config().Remote = "new.example:7"
	if err := client.Reload(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-sessions)

	client.Config().Remote = "no port"
	fmt.Println(client.Reload() != nil)

	if err := client.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// old.example:7
	// new.example:7
	// true
}

package readme_test

import (
	"context"
	"fmt"
	"time"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// start gives the client ten seconds to get connected; after that it would go
// on in the background.
func start(ctx context.Context, client *reconnect.Client) error {
	if err := client.Connect(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return client.WaitConnected(ctx) // its error has that of the last attempt
}

// watch sees how the client fares. A watcher that is slow misses states in
// between, and never the latest.
func watch(ctx context.Context, client *reconnect.Client, show func(reconnect.Status)) {
	var status reconnect.Status
	var err error
	for err == nil {
		status, err = client.WaitStatus(ctx, status.Version)
		show(status) // State, Attempt, LastError, NextAttempt, Sessions, ...
	}
}

// move makes the client go elsewhere. Another Remote, Alternates, Dialer or
// TLSConfig drops the connection; all else counts from its next use.
func move(client *reconnect.Client, remote string, others ...string) error {
	cfg := client.Config()
	cfg.Remote = remote
	cfg.Alternates = others // tried in this order when Remote fails
	return client.Reload()
}

func Example_watch() {
	ctx := context.Background()
	server := testutil.Pipe(nil)
	defer func() { _ = server.Close() }()
	client := reconnect.Must(&reconnect.Config{Remote: "a.example.com:443"}, over(server))

	if err := start(ctx, client); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(client.Status().Remote, client.State())
	if err := move(client, "b.example.com:443", "c.example.com:443"); err != nil {
		fmt.Println(err)
		return
	}
	client.Cancel(nil)
	watch(ctx, client, func(status reconnect.Status) {
		if status.State == reconnect.Stopped {
			fmt.Println(status.State)
		}
	})
	fmt.Println(client.Wait())
	// Output:
	// a.example.com:443 connected
	// stopped
	// stopped
	// <nil>
}

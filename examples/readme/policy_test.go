package readme_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

var errBadPassword = errors.New("bad password")

func keepTrying(cfg *reconnect.Config) error {
	// Half a second at first, up to ten later; give up after a day without a
	// session that held.
	cfg.WaitReconnect = reconnect.LimitElapsedWaiter(
		reconnect.NewExponentialWaiter(500*time.Millisecond, 10*time.Second),
		24*time.Hour)

	// nil means to try again, an error is the end and what Wait returns.
	cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
		switch {
		case errors.Is(err, errBadPassword):
			return err
		case errors.Is(err, reconnect.ErrDoNotReconnect): // the end, whatever is returned
			return err
		case reconnect.IsFatal(err): // what would decide without OnError
			fmt.Println("going on in spite of:", err)
			return nil
		default:
			return nil
		}
	}
	return nil
}

func Example_policy() {
	server := testutil.Pipe(nil)
	defer func() { _ = server.Close() }()

	answers := []error{errors.New("strange"), fmt.Errorf("login: %w", errBadPassword)}
	client, err := reconnect.New(&reconnect.Config{
		Remote: "db.example.com:5000",
		OnConnect: func(context.Context, net.Conn) error {
			err := answers[0]
			answers = answers[1:]
			return err
		},
	}, keepTrying, over(server))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(client.Connect())
	fmt.Println(client.Wait())
	// Output:
	// going on in spite of: strange
	// <nil>
	// login: bad password
}

package main

import (
	"bufio"
	"context"
	"time"

	"darvaza.org/x/net/reconnect"
)

// goodbye is how long the client may take for its end.
const goodbye = 5 * time.Second

// A customer is the client's side: it passes on who serves it.
type customer struct {
	client *reconnect.Client
	served chan string
}

// newCustomer makes a client that prefers primary. It ends when ctx does.
func newCustomer(ctx context.Context, primary string, alternates ...string) (*customer, error) {
	c := &customer{served: make(chan string)}
	var err error
	c.client, err = reconnect.New(&reconnect.Config{
		Context:    ctx,
		Remote:     primary,
		Alternates: alternates,
		// Each remote of a round has this long, so a machine that is gone, and
		// doesn't even refuse, delays the next one by no more.
		DialTimeout: time.Second,
		ReadTimeout: -1, // a server may be silent for as long as it likes
		// There is a wait before each round, none within.
		WaitReconnect: reconnect.NewExponentialWaiter(10*time.Millisecond, time.Second),
		OnSession:     c.session,
	})
	return c, err
}

func (c *customer) session(ctx context.Context) error {
	lines := bufio.NewScanner(c.client)
	for lines.Scan() {
		select {
		case c.served <- lines.Text():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return lines.Err() // nil, and errors of the network: the next round
}

// next waits for the next server to say its name. When the client stops, the
// error is why.
func (c *customer) next() (string, error) {
	ctx := c.client.Context()
	select {
	case name := <-c.served:
		return name, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// shutdown stops the client, unless it has stopped already, and gives the
// reason of its end.
func (c *customer) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return c.client.Shutdown(ctx)
}

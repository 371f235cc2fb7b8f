package main

import (
	"bufio"
	"context"
	"time"

	"darvaza.org/x/net/reconnect"
)

// goodbye is how long the client may take for its end.
const goodbye = 5 * time.Second

// A guest is the client's side: it passes on what the server says.
type guest struct {
	client *reconnect.Client
	heard  chan string
}

// newGuest makes a client for remote, which only the proxy needs to know. It
// ends when ctx does.
func newGuest(ctx context.Context, remote, proxyAddress string) (*guest, error) {
	g := &guest{heard: make(chan string)}
	cfg := &reconnect.Config{
		Context:       ctx,
		Remote:        remote,
		ReadTimeout:   -1, // the server may be silent for as long as it likes
		WaitReconnect: reconnect.NewExponentialWaiter(10*time.Millisecond, time.Second),
		OnSession:     g.session,
	}
	dialer, err := newVia(cfg, proxyAddress)
	if err != nil {
		return nil, err
	}
	cfg.Dialer = dialer
	g.client, err = reconnect.New(cfg)
	return g, err
}

func (g *guest) session(ctx context.Context) error {
	lines := bufio.NewScanner(g.client)
	for lines.Scan() {
		select {
		case g.heard <- lines.Text():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return lines.Err()
}

// next waits for the next line. When the client stops, the error is why.
func (g *guest) next() (string, error) {
	ctx := g.client.Context()
	select {
	case line := <-g.heard:
		return line, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// failed waits until an attempt after those counted in before has failed.
func (g *guest) failed(before reconnect.Status) error {
	for status := before; status.Failures == before.Failures; {
		var err error
		if status, err = g.client.WaitStatus(g.client.Context(), status.Version); err != nil {
			return err
		}
	}
	return nil
}

// shutdown stops the client, unless it has stopped already, and gives the
// reason of its end.
func (g *guest) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return g.client.Shutdown(ctx)
}

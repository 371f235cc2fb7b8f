package main

import (
	"context"
	"errors"
	"io"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// A link is where the server is, and how to get there if not by the network.
type link struct {
	remote string
	dialer reconnect.Dialer
}

// run plays the story over TCP. It ends early, with an error that matches
// context.Canceled, when ctx does.
func run(ctx context.Context, out io.Writer) (err error) {
	log := &transcript{w: out}
	s, err := testutil.StartServer("tcp", "", (&server{log: log}).serve)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return play(ctx, link{remote: s.Remote()}, defaultPace, log)
}

// play runs the client until pings were answered in two sessions.
func play(ctx context.Context, link link, pace pace, log *transcript) error {
	pongs := make(chan struct{}, 2)
	client, err := newClient(ctx, link, pace, log, func() {
		select {
		case pongs <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return err
	}
	err = client.Connect()
	for range cap(pongs) {
		if err == nil {
			select {
			case <-pongs:
			case <-client.Context().Done():
				err = context.Cause(client.Context())
			}
		}
	}

	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if reason := client.Shutdown(ctx); reason != nil {
		return reason
	}
	if err == nil {
		log.client("stopped after %d sessions", client.Status().Sessions)
	}
	return err
}

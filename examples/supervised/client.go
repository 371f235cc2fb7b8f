package main

import (
	"context"
	"time"

	"darvaza.org/x/net/reconnect"
)

const (
	// goodbye is how long the client may take for its end.
	goodbye = 5 * time.Second
	// delay is the wait before a connection is tried again.
	delay = 100 * time.Millisecond
	// backlog is how many lines may wait to be written.
	backlog = 8
)

// A pace says how often and how long.
type pace struct {
	idle     time.Duration // without a word, before a ping
	patience time.Duration // for the answer to a ping
}

// defaultPace is for impatient readers. Half a minute and a few seconds would
// be more usual.
var defaultPace = pace{idle: 200 * time.Millisecond, patience: time.Second}

// newClient makes a client that runs a session on each connection, and calls
// alive for each ping that was answered. It ends when ctx does.
func newClient(ctx context.Context, link link, pace pace, log *transcript, alive func()) (*reconnect.Client, error) {
	var client *reconnect.Client
	client, err := reconnect.New(&reconnect.Config{
		Context:       ctx,
		Remote:        link.remote,
		Dialer:        link.dialer,
		ReadTimeout:   -1, // the heartbeat knows better
		WaitReconnect: reconnect.NewConstantWaiter(delay),
		OnSession: func(ctx context.Context) error {
			s := &session{
				client: client,
				pace:   pace,
				log:    log,
				alive:  alive,
				heard:  make(chan struct{}, 1),
				lines:  make(chan string, backlog),
			}
			return s.run(ctx)
		},
	})
	return client, err
}

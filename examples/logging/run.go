package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"darvaza.org/slog"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// goodbye is how long the client may take to stop.
const goodbye = 2 * time.Second

// run plays the story for one library, or all of them. It returns nil also when
// ctx has cut it short.
func run(ctx context.Context, w io.Writer, name string, debug bool) error {
	known := false
	for _, b := range backends {
		if name != "all" && name != b.name {
			continue
		}
		known = true
		log, err := b.open(w, debug)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		_, _ = fmt.Fprintf(w, "--- %s\n", b.name)
		switch err := play(ctx, log); {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", b.name, err)
		}
	}
	if !known {
		return fmt.Errorf("no library %q: slog, zap, zerolog or all", name)
	}
	return nil
}

// play connects to a server that hangs up on the first connection, connects
// again, and stops.
func play(ctx context.Context, log slog.Logger) error {
	server, err := testutil.StartServer("tcp", "", nobodyTalks)
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()

	client, err := reconnect.New(&reconnect.Config{
		Context:       ctx,
		Logger:        log,
		Remote:        server.Remote(),
		WaitReconnect: reconnect.NewExponentialWaiter(10*time.Millisecond, 0),
		OnSession: func(ctx context.Context) error {
			_, err := reconnect.ConnFrom(ctx).Read(make([]byte, 1))
			return err
		},
	})
	if err != nil {
		return err
	}

	err = client.Connect()
	if err == nil {
		err = await(ctx, client, 1)
	}
	if err == nil {
		err = server.WaitOpen(ctx, 1) // it may learn of the connection after us
	}
	if err == nil {
		server.HangUp()
		err = await(ctx, client, 2)
	}

	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return errors.Join(err, client.Shutdown(ctx))
}

// nobodyTalks waits until its peer leaves.
func nobodyTalks(conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn)
}

// await waits until the client has had n sessions.
func await(ctx context.Context, client *reconnect.Client, n uint64) error {
	st, err := client.WaitStatus(ctx, 0)
	for err == nil && st.Sessions < n {
		st, err = client.WaitStatus(ctx, st.Version)
	}
	return err
}

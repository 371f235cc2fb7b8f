package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"darvaza.org/x/net/examples/logging/stdslog"
	"darvaza.org/x/net/reconnect"
)

// config says it to the client.
func (n *netcat) config(ctx context.Context, stderr io.Writer) (*reconnect.Config, error) {
	o := n.opts
	secure, err := o.tls.config()
	if err != nil {
		return nil, err
	}
	cfg := &reconnect.Config{
		Context:       ctx,
		Remote:        o.remote,
		TLSConfig:     secure,
		DialTimeout:   orOff(o.dialTimeout),
		KeepAlive:     orOff(o.keepAlive),
		ReadTimeout:   -1, // the idle timeout is for both directions together
		WriteTimeout:  o.writeTimeout(),
		WaitReconnect: n.wait(o.backoff()),
		OnSession:     n.session,
	}
	if n.status != nil {
		cfg.OnState = n.status.onState(func() reconnect.Status { return n.client.Status() })
	}
	if o.verbose || o.debug {
		level := slog.LevelInfo
		if o.debug {
			level = slog.LevelDebug
		}
		cfg.Logger = stdslog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	}
	return cfg, nil
}

// writeTimeout bounds writes where there is an idle timeout, to see what has been taken
// of one that is under way. With TLS one that has timed out would be the end of the
// connection.
func (o *options) writeTimeout() time.Duration {
	if o.idleTimeout == 0 || o.tls.on {
		return -1
	}
	return max(o.idleTimeout/4, time.Nanosecond)
}

// orOff gives the value by which a Config means what zero means here.
func orOff(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"darvaza.org/x/net/examples/health/clientmetrics"
	"darvaza.org/x/net/reconnect"
)

// goodbye is how long a page under way and the client may take to end.
const goodbye = 2 * time.Second

// A monitor is a client with an HTTP server that tells about it.
type monitor struct {
	client *reconnect.Client
	url    string
}

// start makes both and starts them. The HTTP server is a worker of the client,
// so there is one thing to stop and to wait for.
func start(ctx context.Context, listen, remote string, waiter reconnect.Waiter) (*monitor, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, err
	}
	m := &monitor{url: "http://" + ln.Addr().String()}
	if err := m.start(ctx, ln, remote, waiter); err != nil {
		_ = ln.Close() // a worker that comes too late doesn't run, and so doesn't either
		return nil, err
	}
	return m, nil
}

func (m *monitor) start(ctx context.Context, ln net.Listener, remote string, waiter reconnect.Waiter) error {
	client, err := reconnect.New(&reconnect.Config{
		Context:       ctx,
		Remote:        remote,
		WaitReconnect: waiter,
		ReadTimeout:   -1, // a remote with nothing to say isn't ill
		OnSession:     m.session,
	})
	if err != nil {
		return err
	}
	m.client = client

	registry := prometheus.NewRegistry()
	if err := registry.Register(clientmetrics.New(client)); err != nil {
		return errors.Join(err, m.stop())
	}
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", healthz(client.Status))
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: goodbye}

	client.GoCatch(func(context.Context) error { return server.Serve(ln) },
		reconnect.NewCatchFunc(http.ErrServerClosed))
	client.Go(reconnect.NewShutdownFunc(server, goodbye))

	if err := client.Connect(); err != nil {
		return errors.Join(err, m.stop())
	}
	return nil
}

// stop ends both and waits for them.
func (m *monitor) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye+time.Second)
	defer cancel()
	return m.client.Shutdown(ctx)
}

// session is a consumer without any use for what it gets. The end of the stream
// is returned as an error so that the status has something to tell: of a session
// that returns nil nothing is remembered.
func (m *monitor) session(context.Context) error {
	if _, err := io.Copy(io.Discard, m.client); err != nil {
		return err
	}
	return fmt.Errorf("the remote has hung up: %w", io.EOF)
}

// run serves the pages until ctx ends or the client gives up. The end of ctx is
// no error, whatever its cause: that of signal.NotifyContext names the signal.
func run(ctx context.Context, w io.Writer, listen, remote string) error {
	m, err := start(ctx, listen, remote, reconnect.NewExponentialWaiter(0, 0))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "%s/healthz\n%s/metrics\n", m.url, m.url)
	err = m.client.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

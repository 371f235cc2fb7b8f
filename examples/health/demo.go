package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// demonstrate takes a server down and up again and prints what the pages of its client
// say. It returns nil also when ctx has cut it short.
func demonstrate(ctx context.Context, w io.Writer, listen string) error {
	server, err := testutil.StartServer("tcp", "", greet)
	if err != nil {
		return err
	}
	m, err := start(ctx, listen, server.Remote(), reconnect.NewConstantWaiter(200*time.Millisecond))
	if err == nil {
		err = play(m.client.Context(), w, server, m)
		err = errors.Join(err, m.stop())
	}
	err = errors.Join(err, server.Close())
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// greet says a word and waits until its peer leaves.
func greet(conn net.Conn) {
	_, _ = io.WriteString(conn, "hello\n")
	_, _ = io.Copy(io.Discard, conn)
}

// play is the plot. After each turn it waits for the state that must follow.
func play(ctx context.Context, w io.Writer, server *testutil.Server, m *monitor) error {
	turns := []struct {
		title string
		turn  func() error
		then  func(reconnect.Status) bool
	}{
		{"The server is up.", func() error { return nil }, connected},
		{"The server is down.", func() error { server.Stop(); return nil }, waiting},
		{"The server is back.", server.Restart, connected},
	}
	for _, t := range turns {
		if err := t.turn(); err != nil {
			return err
		}
		if err := m.await(ctx, t.then); err != nil {
			return err
		}
		page, err := m.get(ctx, "/healthz")
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(w, "%s\nGET /healthz: %s\n", t.title, page)
	}

	page, err := m.get(ctx, "/metrics")
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(w, "GET /metrics, without the comments:")
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "reconnect_") {
			_, _ = io.WriteString(w, line)
		}
	}
	return nil
}

func connected(st reconnect.Status) bool { return st.State == reconnect.Connected }

// waiting is true once an attempt was refused, and it is known when the next
// one follows.
func waiting(st reconnect.Status) bool {
	return st.State == reconnect.Waiting && st.Failures > 0 && !st.NextAttempt.IsZero()
}

// await waits until the client's status is as it should be.
func (m *monitor) await(ctx context.Context, good func(reconnect.Status) bool) error {
	st, err := m.client.WaitStatus(ctx, 0)
	for err == nil && !good(st) {
		st, err = m.client.WaitStatus(ctx, st.Version)
	}
	return err
}

// get fetches a page and returns its status and body.
func (m *monitor) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url+path, nil)
	if err != nil {
		return "", err
	}
	// A connection of its own for each page: none is left over at the end.
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp.Status + "\n" + string(body), err
}

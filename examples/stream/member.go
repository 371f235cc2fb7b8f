package main

import (
	"context"
	"io"
	"net"
	"time"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/reconnect/stream"
)

// goodbye is how long a client may take for its end.
const goodbye = 5 * time.Second

// A member is a client: what it has to say goes out, what it hears comes in,
// over all connections.
type member struct {
	name   string
	client *reconnect.Client
	mouth  chan string
	ear    chan string
	again  chan struct{}

	seen int // the callbacks' own: how many lines it has heard
}

// newMember makes a client. It ends when ctx does.
func newMember(ctx context.Context, remote, name string) (*member, error) {
	m := &member{
		name:  name,
		mouth: make(chan string),
		ear:   make(chan string),
		again: make(chan struct{}),
	}
	var err error
	m.client, err = reconnect.New(&reconnect.Config{
		Context:       ctx,
		Remote:        remote,
		ReadTimeout:   -1, // people may be silent for as long as they like
		WaitReconnect: m.away,
		OnConnect:     m.join,
		OnSession:     m.chat,
	})
	return m, err
}

// away is the wait before the next attempt. An ordinary client would take a
// reconnect.NewExponentialWaiter; this one waits for its user to come back.
func (m *member) away(ctx context.Context) error {
	select {
	case <-m.again:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join tells the server who is there, and what it need not repeat.
func (m *member) join(_ context.Context, conn net.Conn) error {
	_, err := io.WriteString(conn, formatJoin(m.name, m.seen))
	return err
}

// chat is the session: one StreamSession for each connection, under the context
// of the connection, and what its Wait returns is judged.
func (m *member) chat(ctx context.Context) error {
	s := newLines(ctx, m.client, maxHeard)
	if err := s.Spawn(); err != nil {
		return err
	}
	s.Go(func(ctx context.Context) error { return m.talk(ctx, s) })
	for text := range s.Recv() {
		select {
		case m.ear <- text:
			m.seen++
		case <-ctx.Done(): // there may be more to hear, which the server says again
			return s.Wait()
		}
	}
	return s.Wait()
}

// talk sends what there is to say, until ctx ends. What was taken when the
// connection is lost may be lost with it: only an answer would tell.
func (m *member) talk(ctx context.Context, s *stream.StreamSession[string, string]) error {
	for {
		select {
		case text := <-m.mouth:
			if err := s.SendContext(ctx, text); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// say says something, once there is a connection. When the client stops, the
// error is why.
func (m *member) say(text string) error {
	ctx := m.client.Context()
	select {
	case m.mouth <- text:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// hear waits for the next thing said. When the client stops, the error is why.
func (m *member) hear() (string, error) {
	ctx := m.client.Context()
	select {
	case text := <-m.ear:
		return text, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// leave drops the connection, and waits until the client has noticed.
func (m *member) leave() error {
	_ = m.client.Close() // the session may be faster to close the connection
	for status := m.client.Status(); status.State != reconnect.Waiting; {
		var err error
		if status, err = m.client.WaitStatus(m.client.Context(), status.Version); err != nil {
			return err
		}
	}
	return nil
}

// comeBack lets the client connect again.
func (m *member) comeBack() error {
	ctx := m.client.Context()
	select {
	case m.again <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// shutdown stops the client, unless it has stopped already, and gives the
// reason of its end.
func (m *member) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return m.client.Shutdown(ctx)
}

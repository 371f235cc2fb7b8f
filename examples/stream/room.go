package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"

	"darvaza.org/x/net/reconnect/stream"
)

// A room is the server. It keeps all that was said, in order, and each member
// follows at its own pace: a slow one holds nobody up, and one that comes back
// says how much it has seen.
type room struct {
	mu   sync.Mutex    // guards the fields below
	said []string      // only ever grows
	more chan struct{} // closed when it does
}

func newRoom() *room {
	return &room{more: make(chan struct{})}
}

// serve talks to one member until the connection ends. The first line says who
// it is, and every other one is something said.
func (r *room) serve(conn net.Conn) {
	s := newLines(context.Background(), conn, maxLine)
	if err := s.Spawn(); err != nil {
		return
	}
	defer func() { _ = s.Close(); _ = s.Wait() }()

	hello, _ := s.Next()
	name, seen, ok := parseJoin(hello)
	if !ok {
		return
	}
	seen = r.enter(seen)
	s.Go(func(ctx context.Context) error { return r.follow(ctx, s, seen) })
	for text := range s.Recv() {
		r.say(name + ": " + text)
	}
}

// enter returns where a member begins that has seen so many lines. One that has seen
// more than there are was in a room before this one, and hears what is new. A number is
// good for one room only: where rooms come and go, give each a name to go with it.
func (r *room) enter(seen int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return min(seen, len(r.said))
}

// follow passes on what was said after the first seen lines, until ctx ends.
func (r *room) follow(ctx context.Context, s *stream.StreamSession[string, string], seen int) error {
	for {
		texts, more := r.since(seen)
		for _, text := range texts {
			if err := s.SendContext(ctx, text); err != nil {
				return err
			}
		}
		seen += len(texts)
		select {
		case <-more:
		case <-ctx.Done():
			return nil
		}
	}
}

// say adds a line and wakes those who follow.
func (r *room) say(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, text)
	close(r.more)
	r.more = make(chan struct{})
}

// since gives the lines after the first seen, and a channel that is closed when
// there are more.
func (r *room) since(seen int) ([]string, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said[seen:], r.more
}

// formatJoin is the first line of a member.
func formatJoin(name string, seen int) string {
	return fmt.Sprintf("join %s %d\n", name, seen)
}

// parseJoin understands what formatJoin writes, and nothing else.
func parseJoin(line string) (name string, seen int, ok bool) {
	if _, err := fmt.Sscanf(line, "join %s %d", &name, &seen); err != nil || seen < 0 {
		return "", 0, false
	}
	return name, seen, line+"\n" == formatJoin(name, seen) && !strings.Contains(name, ":")
}

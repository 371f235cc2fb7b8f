package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/worker"
)

// What client and server say beside events and their acknowledgements.
const (
	ping = "ping"
	pong = "pong"
)

// atOnce is the shortest deadline; zero would be none at all.
const atOnce = time.Nanosecond

// errSilent is a timeout, and so no reason to give up for good.
var errSilent = fmt.Errorf("the server doesn't answer a ping: %w", os.ErrDeadlineExceeded)

// A session is the workers of one connection, and what they tell each other.
type session struct {
	client *reconnect.Client
	pace   pace
	log    *transcript
	alive  func()        // told of each pong
	heard  chan struct{} // something was read; room for one
	lines  chan string   // to be written
}

// run is the body of an OnSession. The first worker to end, for whatever
// reason, ends the session.
func (s *session) run(ctx context.Context) error {
	s.log.client("connected")
	err := worker.Run(ctx, s.read, s.write, s.beat, s.release)
	if errors.Is(err, errSilent) {
		s.log.client("no answer, so the connection is dropped")
	}
	return err
}

// read takes what the server says. It ends with the connection, or when release
// says so: it is the one worker that can't wait for its context.
func (s *session) read(ctx context.Context) error {
	input := bufio.NewScanner(s.client)
	input.Split(wholeLines)
	for input.Scan() {
		select {
		case s.heard <- struct{}{}:
		default: // beat hasn't looked yet, and needs no second reason
		}

		line := input.Text()
		if line == pong {
			s.log.client(line)
			s.alive()
			continue
		}
		s.log.client("%s, which is acknowledged", line)
		number, _ := strings.CutPrefix(line, "event ")
		if err := s.queue(ctx, "ack "+number); err != nil {
			return err
		}
	}
	return input.Err()
}

// wholeLines finds lines, but none that the end of the connection has cut off: to
// acknowledge half a number would be to acknowledge another event.
func wholeLines(data []byte, _ bool) (advance int, line []byte, err error) {
	return bufio.ScanLines(data, false)
}

// write is the only one to write, so that nothing comes between the parts of a
// line, and nobody else waits for a slow connection.
func (s *session) write(ctx context.Context) error {
	for {
		select {
		case line := <-s.lines:
			if _, err := io.WriteString(s.client, line+"\n"); err != nil {
				return err // for one, that it took longer than WriteTimeout
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// beat is the heartbeat. It has no say as long as the server has.
func (s *session) beat(ctx context.Context) error {
	timer := time.NewTimer(s.pace.idle)
	defer timer.Stop()
	for asked := false; ; {
		select {
		case <-s.heard:
			asked = false
			timer.Reset(s.pace.idle)
		case <-timer.C:
			if asked {
				return errSilent
			}
			asked = true
			s.log.client("has heard nothing for a while, and sends a %s", ping)
			if err := s.queue(ctx, ping); err != nil {
				return err
			}
			timer.Reset(s.pace.patience)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// release frees read when another worker has ended. It is a worker, and not a
// context.AfterFunc, because Run waits for workers: nothing of this session is
// left to touch the next connection.
func (s *session) release(ctx context.Context) error {
	<-ctx.Done()
	_ = s.client.SetReadDeadline(atOnce)
	return ctx.Err()
}

// queue has a line written in its turn.
func (s *session) queue(ctx context.Context, line string) error {
	select {
	case s.lines <- line:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"darvaza.org/x/net/reconnect"
)

// window is how many messages are on their way in the figure about flow.
const window = 64

// streamScenarios compare a StreamSession to the same done by hand with a
// bufio.Writer and a bufio.Scanner, in one goroutine. The peer returns what it
// gets, on either side.
func streamScenarios() []scenario {
	return []scenario{
		{
			figures: []figure{{
				name: "stream/echo", title: "a message of 64 bytes there and back, p50, lines, TCP",
				unit: "ns", judge: ratio, must: 1.5, aim: 1.15,
			}},
			prepare: func(e *env, s side) (batch, func(), error) {
				return prepareStream(e, s, streamEchoes)
			},
		},
		{
			// no limit is set for this one: it is what queueing is good for
			figures: []figure{{
				name: "stream/flow", title: "a message there and back, 64 of them on their way at a time",
				unit: "ns",
			}},
			prepare: func(e *env, s side) (batch, func(), error) {
				return prepareStream(e, s, streamFlow)
			},
		},
	}
}

// A talker sends and receives lines.
type talker interface {
	send(line string) error
	flush() error
	receive() (string, error)
}

func prepareStream(e *env, s side, talk func(*env, talker) ([]float64, error)) (batch, func(), error) {
	l, err := newLink(e, rawSide, "tcp", off)
	if err != nil {
		return nil, nil, err
	}
	_, undo, err := echoBatch(e, l)
	if err != nil {
		return nil, nil, err
	}
	conn := l.ReadWriter.(net.Conn)
	var t talker = &handTalker{bufio.NewWriter(conn), bufio.NewScanner(conn)}
	if s.isClient() {
		session, err := newSession(conn)
		if err != nil {
			return nil, undo, err
		}
		t = session
		bare := undo
		undo = func() {
			session.Close()
			_ = session.Wait()
			bare()
		}
	}
	return func() ([]float64, error) { return talk(e, t) }, undo, nil
}

func streamEchoes(e *env, t talker) ([]float64, error) {
	line := strings.Repeat("x", messageSize-1)
	n := e.size(echoes)
	times := make([]float64, 0, n)
	last := time.Now()
	for range n {
		if err := t.send(line); err != nil {
			return nil, err
		}
		if err := t.flush(); err != nil {
			return nil, err
		}
		if err := expect(t, line); err != nil {
			return nil, err
		}
		now := time.Now()
		times = append(times, float64(now.Sub(last)))
		last = now
	}
	return []float64{median(times)}, nil
}

func streamFlow(e *env, t talker) ([]float64, error) {
	line := strings.Repeat("x", messageSize-1)
	n := e.size(20)
	times := make([]float64, 0, n)
	for range n {
		start := time.Now()
		for range window {
			if err := t.send(line); err != nil {
				return nil, err
			}
		}
		if err := t.flush(); err != nil {
			return nil, err
		}
		for range window {
			if err := expect(t, line); err != nil {
				return nil, err
			}
		}
		times = append(times, float64(time.Since(start))/window)
	}
	return []float64{median(times)}, nil
}

// expect receives what was sent.
func expect(t talker, line string) error {
	got, err := t.receive()
	if err == nil && got != line {
		err = fmt.Errorf("received %q for %q", got, line)
	}
	return err
}

// A handTalker does it by hand.
type handTalker struct {
	w *bufio.Writer
	s *bufio.Scanner
}

func (t *handTalker) send(line string) error {
	if _, err := t.w.WriteString(line); err != nil {
		return err
	}
	return t.w.WriteByte('\n')
}

func (t *handTalker) flush() error { return t.w.Flush() }

func (t *handTalker) receive() (string, error) {
	if !t.s.Scan() {
		return "", cmp.Or(t.s.Err(), io.EOF)
	}
	return t.s.Text(), nil
}

// A sessionTalker has a StreamSession do it.
type sessionTalker struct {
	*reconnect.StreamSession[string, string]
}

func newSession(conn net.Conn) (sessionTalker, error) {
	s := &reconnect.StreamSession[string, string]{
		Conn:      conn,
		QueueSize: window,
		Unmarshal: func(b []byte) (string, error) { return string(b), nil },
		MarshalTo: func(line string, w io.Writer) error {
			if _, err := io.WriteString(w, line); err != nil {
				return err
			}
			_, err := w.Write(newline)
			return err
		},
	}
	return sessionTalker{s}, s.Spawn()
}

var newline = []byte("\n")

func (t sessionTalker) send(line string) error { return t.Send(line) }
func (t sessionTalker) flush() error           { return nil }

func (t sessionTalker) receive() (string, error) {
	line, ok := t.Next()
	if !ok {
		return "", cmp.Or(t.Err(), io.EOF)
	}
	return line, nil
}

package main

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"darvaza.org/x/net/reconnect"
)

// emptyCalls is how many reads of nothing are timed at once.
const emptyCalls = 2000

// emptyScenarios show whether a writer slows a reader down: a Read of no bytes
// costs next to nothing, unless it shares memory with what the writer changes.
// It is done on a socket, and on a connection that does nothing at all, where
// the writer is a hundred times busier.
func emptyScenarios() []scenario {
	f := figure{unit: "ns", judge: added, must: 10, aim: 3}
	socket, nothing := f, f
	socket.name, socket.title = "empty-read/socket", "Read of nothing beside a busy writer, TCP, timeouts off"
	nothing.name, nothing.title = "empty-read/nothing", "Read beside a busy writer, on a connection that does nothing, timeouts off"
	return []scenario{
		{
			cost:    tiny,
			figures: []figure{socket},
			prepare: func(e *env, s side) (batch, func(), error) {
				l, err := newLink(e, s, "tcp", off)
				if err != nil {
					return nil, nil, err
				}
				return func() ([]float64, error) {
					return besideWriter(e, l, func(p []byte) error { return writeAndDrain(l, p) })
				}, l.close, nil
			},
		},
		{
			cost:    tiny,
			figures: []figure{nothing},
			prepare: func(e *env, s side) (batch, func(), error) {
				l, err := newIdleLink(s)
				if err != nil {
					return nil, nil, err
				}
				return func() ([]float64, error) {
					return besideWriter(e, l, func(p []byte) error { return writeOnly(l, p) })
				}, l.close, nil
			},
		},
	}
}

// besideWriter times reads of nothing while another goroutine, which it ends,
// calls write over and over.
func besideWriter(e *env, l *link, write func([]byte) error) ([]float64, error) {
	var stop atomic.Bool
	writing, done := make(chan struct{}), make(chan error, 1)
	go func() {
		buf := make([]byte, chunkSize)
		err := write(buf)
		close(writing)
		for err == nil && !stop.Load() {
			err = write(buf)
		}
		done <- err
	}()
	<-writing

	n := e.size(chunksPerBatch)
	times := make([]float64, 0, n)
	for range n {
		start := time.Now()
		for range emptyCalls {
			if _, err := l.Read(nil); err != nil {
				break // the writer's error, or a later batch, tells
			}
		}
		times = append(times, float64(time.Since(start))/emptyCalls)
	}
	stop.Store(true)
	return []float64{undisturbed(times)}, <-done
}

func writeAndDrain(l *link, buf []byte) error {
	_, err := writeChunk(l, buf)
	return err
}

func writeOnly(l *link, buf []byte) error {
	for p := buf; len(p) > 0; p = p[messageSize:] {
		if _, err := l.Write(p[:messageSize]); err != nil {
			return err
		}
	}
	return nil
}

// newIdleLink is a link over a connection that does nothing.
func newIdleLink(s side) (*link, error) {
	if !s.isClient() {
		return &link{ReadWriter: idleConn{}, close: func() {}}, nil
	}
	c, err := reconnect.New(&reconnect.Config{
		Remote:       "127.0.0.1:1",
		Dialer:       idleDialer{},
		OnSession:    waitForEnd,
		ReadTimeout:  -1,
		WriteTimeout: -1,
	})
	if err != nil {
		return nil, err
	}
	if err := c.Connect(); err != nil {
		return nil, err
	}
	return &link{ReadWriter: c, close: func() { _ = c.Shutdown(context.Background()) }}, nil
}

type idleDialer struct{}

func (idleDialer) DialContext(context.Context, string, string) (net.Conn, error) {
	return idleConn{}, nil
}

// An idleConn takes everything and gives nothing.
type idleConn struct{}

func (idleConn) Read([]byte) (int, error)         { return 0, nil }
func (idleConn) Write(p []byte) (int, error)      { return len(p), nil }
func (idleConn) Close() error                     { return nil }
func (idleConn) LocalAddr() net.Addr              { return idleAddr{} }
func (idleConn) RemoteAddr() net.Addr             { return idleAddr{} }
func (idleConn) SetDeadline(time.Time) error      { return nil }
func (idleConn) SetReadDeadline(time.Time) error  { return nil }
func (idleConn) SetWriteDeadline(time.Time) error { return nil }

type idleAddr struct{}

func (idleAddr) Network() string { return "idle" }
func (idleAddr) String() string  { return "idle" }

package main

import (
	"context"
	"io"
)

// chunkSize is the most that is read and not yet sent.
const chunkSize = 32 << 10

// An input reads ahead, by one chunk and only when asked to, and keeps that
// chunk until all of it was sent. Whoever runs the connection, one goroutine at a
// time, calls its methods, save for close.
type input struct {
	source io.Reader
	want   chan struct{} // asks for a chunk
	ready  chan chunk    // has room for the answer
	closed chan struct{}

	buf     []byte // written to between want and ready only
	asked   bool
	pending []byte // the unsent part of buf
	err     error  // what has come after it: io.EOF, or a failed read
}

type chunk struct {
	n   int
	err error
}

// newInput starts the reader. It ends with the source, or, if it isn't in the
// middle of a read, at close.
func newInput(source io.Reader) *input {
	in := &input{
		source: source,
		want:   make(chan struct{}, 1),
		ready:  make(chan chunk, 1),
		closed: make(chan struct{}),
		buf:    make([]byte, chunkSize),
	}
	go in.read()
	return in
}

func (in *input) read() {
	for {
		select {
		case <-in.want:
		case <-in.closed:
			return
		}
		var c chunk
		for c.n == 0 && c.err == nil {
			c.n, c.err = in.source.Read(in.buf)
		}
		in.ready <- c
		if c.err != nil {
			return
		}
	}
}

func (in *input) close() { close(in.closed) }

// next returns what is to be sent next, and waits for it if need be. After
// everything that was read it returns io.EOF or what has ended the reading;
// the error of ctx if that ends first.
func (in *input) next(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(in.pending) == 0 && in.err == nil {
		if !in.asked {
			in.asked = true
			in.want <- struct{}{} // has room: there is one question at a time
		}
		select {
		case c := <-in.ready:
			in.take(c)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if len(in.pending) > 0 {
		return in.pending, nil
	}
	return nil, in.err
}

func (in *input) take(c chunk) {
	in.asked = false
	in.pending, in.err = in.buf[:c.n], c.err
}

// sent forgets the first n bytes of what next has returned.
func (in *input) sent(n int) { in.pending = in.pending[n:] }

// unsent counts what was read and not sent, when it is all over.
func (in *input) unsent() int {
	select {
	case c := <-in.ready:
		in.take(c)
	default:
	}
	return len(in.pending)
}

package main

import (
	"io"
	"runtime"
	"time"
)

// A message is 64 bytes, and a chunk is as many messages as fit any socket's
// buffer: reading or writing a chunk never blocks.
const (
	messageSize = 64
	chunkCalls  = 64
	chunkSize   = chunkCalls * messageSize
)

// chunksPerBatch is how many chunks a batch takes the lower quartile of. Few,
// for the sides to be close neighbours in time.
const chunksPerBatch = 12

// callScenarios are about a single Read or Write that doesn't block: what the
// client adds to it, and what it allocates.
func callScenarios() []scenario {
	var all []scenario
	for _, write := range []bool{false, true} {
		for _, t := range []timeouts{off, defaults} {
			all = append(all, callScenario(write, t))
		}
	}
	return append(all, wrapperScenario(false), wrapperScenario(true))
}

// A wrapper is the least that anything between a user and a connection can be.
type wrapper struct {
	conn io.ReadWriter
}

func (w *wrapper) Read(p []byte) (int, error)  { return w.conn.Read(p) }
func (w *wrapper) Write(p []byte) (int, error) { return w.conn.Write(p) }

// wrapperScenario has a wrapper in the place of the client: what it adds on a
// machine is the least that a client could add there.
func wrapperScenario(write bool) scenario {
	name, title, chunk := "read/wrapper", "Read", readChunk
	if write {
		name, title, chunk = "write/wrapper", "Write", writeChunk
	}
	return scenario{
		cost:    tiny,
		figures: []figure{{name: name, title: title + " of 64 bytes through an empty wrapper instead of a client", unit: "ns"}},
		prepare: func(e *env, s side) (batch, func(), error) {
			l, err := newLink(e, rawSide, "tcp", off)
			if err != nil {
				return nil, nil, err
			}
			if s.isClient() {
				l.ReadWriter = &wrapper{l.ReadWriter}
			}
			return func() ([]float64, error) {
				values, err := chunks(l, e.size(chunksPerBatch), chunk)
				if err != nil {
					return nil, err
				}
				return values[:1], nil
			}, l.close, nil
		},
	}
}

func callScenario(write bool, t timeouts) scenario {
	name, title := "read/"+string(t), "Read of 64 bytes that are there, TCP, timeouts "+string(t)
	if write {
		name, title = "write/"+string(t), "Write of 64 bytes that fit, TCP, timeouts "+string(t)
	}
	f := figure{name: name, title: title, unit: "ns", judge: added, must: 15, aim: 5}
	if t == defaults {
		f.must, f.aim = 60, 20
	}
	return scenario{
		cost: tiny,
		figures: []figure{
			f,
			{name: name + "/allocs", title: title + ": allocations", unit: "allocs", judge: value},
		},
		prepare: func(e *env, s side) (batch, func(), error) {
			l, err := newLink(e, s, "tcp", t)
			if err != nil {
				return nil, nil, err
			}
			chunk := readChunk
			if write {
				chunk = writeChunk
			}
			return func() ([]float64, error) {
				return chunks(l, e.size(chunksPerBatch), chunk)
			}, l.close, nil
		},
	}
}

// chunks runs n chunks and returns the undisturbed time of a call, and what a
// call allocates.
func chunks(l *link, n int, chunk func(*link, []byte) (time.Duration, error)) ([]float64, error) {
	buf := make([]byte, chunkSize)
	times := make([]float64, 0, n)
	before := mallocs()
	for range n {
		d, err := chunk(l, buf)
		if err != nil {
			return nil, err
		}
		times = append(times, float64(d)/chunkCalls)
	}
	allocs := (mallocs() - before) / uint64(n*chunkCalls)
	return []float64{undisturbed(times), float64(allocs)}, nil
}

// readChunk times reads of what the peer has sent before. One goroutine does
// both, so nothing else has to run meanwhile.
func readChunk(l *link, buf []byte) (time.Duration, error) {
	if _, err := l.peer.Write(buf); err != nil {
		return 0, err
	}
	start := time.Now()
	for p := buf; len(p) > 0; {
		n, err := l.Read(p[:messageSize])
		if err != nil {
			return 0, err
		}
		p = p[n:]
	}
	return time.Since(start), nil
}

// writeChunk times writes that the peer reads afterwards.
func writeChunk(l *link, buf []byte) (time.Duration, error) {
	start := time.Now()
	for p := buf; len(p) > 0; p = p[messageSize:] {
		if _, err := l.Write(p[:messageSize]); err != nil {
			return 0, err
		}
	}
	took := time.Since(start)
	_, err := io.ReadFull(l.peer, buf)
	return took, err
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

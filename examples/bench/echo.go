package main

import (
	"io"
	"net"
	"time"
)

// echoes is how many round trips a batch takes the median of.
const echoes = 200

// echoScenarios are about a message there and back, the common case of all
// protocols.
func echoScenarios() []scenario {
	var all []scenario
	for _, t := range []timeouts{off, defaults} {
		f := figure{
			name: "echo/" + string(t), title: "echo of 64 bytes, p50, TCP, timeouts " + string(t),
			unit: "ns", judge: ratio, must: 1.02, aim: 1.005,
		}
		if t == defaults {
			f.must, f.aim = 1.03, 1.01
		}
		all = append(all, scenario{
			figures: []figure{f},
			prepare: func(e *env, s side) (batch, func(), error) {
				l, err := newLink(e, s, "tcp", t)
				if err != nil {
					return nil, nil, err
				}
				return echoBatch(e, l)
			},
		})
	}
	return all
}

func echoBatch(e *env, l *link) (batch, func(), error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		echo(l.peer)
	}()
	undo := func() {
		l.close()
		<-done
	}
	buf := make([]byte, messageSize)
	return func() ([]float64, error) {
		n := e.size(echoes)
		times := make([]float64, 0, n)
		last := time.Now()
		for range n {
			if _, err := l.Write(buf); err != nil {
				return nil, err
			}
			if _, err := io.ReadFull(l, buf); err != nil {
				return nil, err
			}
			now := time.Now()
			times = append(times, float64(now.Sub(last)))
			last = now
		}
		return []float64{median(times)}, nil
	}, undo, nil
}

// echo returns what the peer sends until it hangs up.
func echo(conn net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		if _, err := conn.Write(buf[:n]); err != nil {
			return
		}
	}
}

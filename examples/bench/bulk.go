package main

import (
	"fmt"
	"io"
	"time"
)

// bulkTotal is what a batch sends, in bytes.
const bulkTotal = 16 << 20

// bulkScenarios are about throughput, over a Unix socket: TCP over loopback is
// too noisy to show a percent.
func bulkScenarios() []scenario {
	var all []scenario
	for _, size := range []int{32 << 10, 1 << 20} {
		for _, write := range []bool{false, true} {
			all = append(all, bulkScenario(size, write))
		}
	}
	return all
}

func bulkScenario(size int, write bool) scenario {
	direction := "read"
	if write {
		direction = "write"
	}
	return scenario{
		figures: []figure{{
			name:  fmt.Sprintf("bulk/%dKiB/%s", size>>10, direction),
			title: fmt.Sprintf("throughput by %ss of %d KiB, Unix, default timeouts", direction, size>>10),
			unit:  "MB/s", judge: share, must: 0.97, aim: 0.99,
		}},
		prepare: func(e *env, s side) (batch, func(), error) {
			l, err := newLink(e, s, "unix", defaults)
			if err != nil {
				return nil, nil, err
			}
			near, far := receive, send
			if write {
				near, far = send, receive
			}
			buf, farBuf := make([]byte, size), make([]byte, size)
			return func() ([]float64, error) {
				done := make(chan error, 1)
				start := time.Now()
				go func() { done <- far(l.peer, farBuf) }()
				err := near(l, buf)
				if err2 := <-done; err == nil {
					err = err2
				}
				return []float64{bulkTotal / 1e6 / time.Since(start).Seconds()}, err
			}, l.close, nil
		},
	}
}

// send writes everything in pieces of the size of buf.
func send(rw io.ReadWriter, buf []byte) error {
	for range bulkTotal / len(buf) {
		if _, err := rw.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// receive reads as much with a buffer of the same size.
func receive(rw io.ReadWriter, buf []byte) error {
	for left := bulkTotal; left > 0; {
		n, err := rw.Read(buf)
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

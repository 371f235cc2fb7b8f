package main

import (
	"context"
	"net"
	"runtime"
	"time"
)

// stops is how many connections a batch makes and stops.
const stops = 20

// stopScenarios are about Shutdown while the session blocks in Read, compared
// to the close of a connection and the join of the goroutine that reads.
func stopScenarios() []scenario {
	var all []scenario
	for _, network := range []string{"tcp", "unix"} {
		all = append(all, scenario{
			figures: []figure{{
				name:  "shutdown/" + network,
				title: "Shutdown while blocked in Read, p50, " + network,
				unit:  "us", judge: added, must: 15, aim: 5,
			}},
			prepare: func(e *env, s side) (batch, func(), error) {
				l, err := e.listen(network)
				if err != nil {
					return nil, nil, err
				}
				return func() ([]float64, error) {
					n := e.size(stops)
					times := make([]float64, 0, n)
					for range n {
						d, err := timeStop(s, l)
						if err != nil {
							return nil, err
						}
						times = append(times, float64(d)/1e3)
					}
					return []float64{median(times)}, nil
				}, func() { _ = l.Close() }, nil
			},
		})
	}
	return all
}

// timeStop connects a member, lets it get into its Read, and stops it.
func timeStop(s side, l net.Listener) (time.Duration, error) {
	up := make(chan struct{})
	m, err := newMember(s, l.Addr(), defaults, func() { close(up) })
	if err != nil {
		return 0, err
	}
	if err := m.start(); err != nil {
		return 0, err
	}
	peer, err := l.Accept()
	if err != nil {
		return 0, err
	}
	defer peer.Close()

	<-up
	settle := time.Now().Add(50 * time.Microsecond)
	for time.Now().Before(settle) {
		runtime.Gosched() // the reader blocks by the end of it
	}
	start := time.Now()
	err = m.stop(context.Background())
	return time.Since(start), err
}

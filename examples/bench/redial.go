package main

import (
	"context"
	"net"
	"time"
)

// losses is how many times a batch loses the connection.
const losses = 20

// redialScenarios are about the time from the server's close to the start of
// the next session, where the waiter doesn't wait.
func redialScenarios() []scenario {
	var all []scenario
	for _, network := range []string{"tcp", "unix"} {
		all = append(all, scenario{
			figures: []figure{{
				name:  "redial/" + network,
				title: "server closes to next session, p50, " + network,
				unit:  "us", judge: added, must: 8, aim: 3,
			}},
			prepare: func(e *env, s side) (batch, func(), error) {
				return prepareRedial(e, s, network)
			},
		})
	}
	return all
}

// prepareRedial starts a side that is always back, and a server that takes its
// connections.
func prepareRedial(e *env, s side, network string) (batch, func(), error) {
	l, err := e.listen(network)
	if err != nil {
		return nil, nil, err
	}
	accepted, done := make(chan net.Conn, 1), make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()

	up := make(chan time.Time, 1)
	m, err := newMember(s, l.Addr(), defaults, func() { up <- time.Now() })
	if err == nil {
		err = m.start()
	}
	if err != nil {
		_ = l.Close()
		<-done
		return nil, nil, err
	}
	<-up
	peer := <-accepted

	undo := func() {
		_ = m.stop(context.Background())
		_ = peer.Close()
		_ = l.Close()
		<-done
	}
	return func() ([]float64, error) {
		n := e.size(losses)
		times := make([]float64, 0, n)
		for range n {
			start := time.Now()
			_ = peer.Close()
			times = append(times, float64((<-up).Sub(start))/1e3)
			peer = <-accepted
		}
		return []float64{median(times)}, nil
	}, undo, nil
}

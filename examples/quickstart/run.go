package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// A pace is how fast things go.
type pace struct {
	calm     time.Duration // before, between and after the faults
	interval time.Duration // from message to message
	patience time.Duration // with a server that is silent
	backoff  time.Duration // the first wait before another attempt
}

var defaultPace = pace{
	calm:     600 * time.Millisecond,
	interval: 20 * time.Millisecond,
	patience: 400 * time.Millisecond,
	backoff:  100 * time.Millisecond,
}

// faster gives the same pace, so many times as fast. The patience stays: a busy
// machine isn't a silent one.
func (p pace) faster(times float64) pace {
	scale := func(d time.Duration) time.Duration {
		return max(time.Duration(float64(d)/times), time.Millisecond)
	}
	p.calm, p.interval, p.backoff = scale(p.calm), scale(p.interval), scale(p.backoff)
	return p
}

const (
	lastEchoes = 5 * time.Second // how long the last echoes may take
	goodbye    = 2 * time.Second // how long the client may take to stop
)

var errNotAll = errors.New("not every message was echoed exactly once")

// run plays the schedule over each network and prints the summary. It returns
// nil also when ctx has cut it short.
func run(ctx context.Context, w io.Writer, pace pace) error {
	_, _ = fmt.Fprintln(w, "A client that keeps its connection, a server that doesn't. Ctrl-C stops it.")

	var results []result
	ok := true
	for _, network := range []string{"tcp", "unix"} {
		if ctx.Err() != nil {
			break
		}
		_, _ = fmt.Fprintln(w)
		r, err := runOver(ctx, w, network, pace)
		if err != nil {
			return fmt.Errorf("%s: %w", network, err)
		}
		ok = ok && r.ok()
		results = append(results, r)
	}

	_, _ = fmt.Fprintln(w)
	summarise(w, results)
	switch {
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(w, "Stopped early: what has no echo yet may be on its way.")
		return nil
	case !ok:
		return errNotAll
	}
	_, _ = fmt.Fprintln(w, "Every message arrived exactly once.")
	return nil
}

// runOver plays the schedule over one network.
func runOver(ctx context.Context, w io.Writer, network string, pace pace) (r result, err error) {
	s, err := newServer(network)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	log := newTimeline(w)
	p, err := newPeer(ctx, s.Remote(), log, pace)
	if err != nil {
		return r, err
	}
	log.server("listens on " + s.Network() + " " + s.Remote())
	if err := converse(s, p); err != nil && !errors.Is(err, context.Canceled) {
		return r, err
	}
	return count(network, s, p, ctx.Err() == nil), nil
}

// converse runs the client from its first attempt to its end, and returns why
// that came early if it did.
func converse(s *server, p *peer) error {
	enough, ended := make(chan struct{}), make(chan struct{})
	p.client.Go(p.produce(enough, ended))
	err := p.client.Connect()
	if err == nil {
		err = play(p.client.Context(), s, p)
	}
	close(enough)
	select {
	case <-ended:
	case <-p.client.Done(): // a client that has stopped before doesn't run it
	}
	if err == nil {
		err = p.drain()
	}

	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if reason := p.client.Shutdown(ctx); reason != nil {
		return reason
	}
	return err
}

// drain waits for the last echoes. Those that don't come show in the summary.
func (p *peer) drain() error {
	ctx, cancel := context.WithTimeout(p.client.Context(), lastEchoes)
	defer cancel()
	err := p.outbox.waitEmpty(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// count sums up a client that is done.
func count(network string, s *server, p *peer, complete bool) result {
	r := result{
		network:  network,
		sessions: int(p.client.Status().Sessions),
		lost:     p.lost,
		failed:   p.failed,
		survived: p.survived,
		down:     p.down,
		downMost: p.downMost,
	}
	r.messages, r.echoed, r.resent = p.outbox.counts()
	missing, doubled, again := s.audit(r.messages)
	r.doubled, r.again = doubled, again
	if complete {
		r.missing = missing
	}
	return r
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/waiter"
	"darvaza.org/x/net/worker"
)

// What the two sides say to each other before the first message.
const (
	hello   = "hello\n"
	welcome = "welcome\n"
)

// A peer is the client's side: messages that wait for their echo, and the
// connection that is made again and again to get them across.
type peer struct {
	client  *reconnect.Client
	outbox  *outbox
	log     *timeline
	backoff waiter.Backoff
	pace    pace

	// what follows belongs to the callbacks, which never overlap, and after the
	// client is done to whoever waited for that
	try      int       // attempts since the connection was lost
	lostAt   time.Time // when that was
	lost     int       // how often
	failed   int       // attempts that failed
	survived int       // of both, those after which there was a connection again
	down     time.Duration
	downMost time.Duration
}

// newPeer makes a client for remote. It ends when ctx does.
func newPeer(ctx context.Context, remote string, log *timeline, pace pace) (*peer, error) {
	p := &peer{
		outbox:  newOutbox(),
		log:     log,
		pace:    pace,
		backoff: waiter.Backoff{Initial: pace.backoff, Max: 8 * pace.backoff},
	}
	var err error
	p.client, err = reconnect.New(&reconnect.Config{
		Context:       ctx,
		Remote:        remote,
		ReadTimeout:   pace.patience, // a server that is silent for so long is given up
		StableAfter:   pace.calm / 2, // the waits begin anew after such a session
		WaitReconnect: p.wait,
		OnConnect:     p.greet,
		OnSession:     p.exchange,
		OnState:       p.note,
	})
	return p, err
}

// greet makes sure that somebody is there who talks. It may read and write
// without deadlines of its own: the client has set some.
func (*peer) greet(_ context.Context, conn net.Conn) error {
	if _, err := io.WriteString(conn, hello); err != nil {
		return err
	}
	answer := make([]byte, len(welcome))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if string(answer) != welcome {
		return fmt.Errorf("the server greets with %q", answer)
	}
	return nil
}

// exchange is the session: one worker sends, one receives, and when one of
// them fails the context of the other ends. Messages whose echo was lost along with
// the last connection come first.
func (p *peer) exchange(ctx context.Context) error {
	p.outbox.rewind()
	return worker.Run(ctx, p.send, p.receive)
}

func (p *peer) send(ctx context.Context) error {
	for {
		n, err := p.outbox.next(ctx)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(p.client, "%d\n", n); err != nil {
			return err
		}
	}
}

func (p *peer) receive(ctx context.Context) error {
	for r := bufio.NewReader(p.client); ctx.Err() == nil; {
		line, err := r.ReadString('\n')
		if err != nil {
			return err // half a line may be half a number
		}
		n, err := strconv.ParseUint(strings.TrimSuffix(line, "\n"), 10, 64)
		if err != nil {
			return err
		}
		if err := p.outbox.echoed(n); err != nil {
			return err
		}
	}
	return ctx.Err() // a server that goes on talking wouldn't have ended a Read
}

// produce is a worker of the client: it has something to say at regular
// intervals, connected or not, until ctx ends or it was enough. It closes ended
// after the last message.
func (p *peer) produce(enough <-chan struct{}, ended chan<- struct{}) reconnect.WorkerFunc {
	return func(ctx context.Context) error {
		defer close(ended)
		tick := time.NewTicker(p.pace.interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.outbox.add()
			case <-enough:
				return nil
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// wait is the pause before the next attempt. It could be the Wait method of
// the Backoff, but that doesn't print anything.
func (p *peer) wait(ctx context.Context) error {
	a, _ := reconnect.AttemptFrom(ctx)
	delay := p.backoff.Delay(a.Number)
	what := fmt.Sprintf("failed: %s", brief(a.Err))
	if p.try == 0 {
		what = fmt.Sprintf("lost the connection: %s", brief(a.Err))
	} else {
		p.failed++
	}
	p.log.client(p.try, "%s; next try in %d ms", what, delay.Milliseconds())
	return waiter.Sleep(ctx, delay)
}

// note sees every change of the client's state.
func (p *peer) note(from, to reconnect.State) {
	now := time.Now()
	if from == reconnect.Connected && to != reconnect.Stopped {
		p.lost++
		p.try = 0
		p.lostAt = now
	}

	switch to {
	case reconnect.Connecting:
		p.try++
	case reconnect.Connected:
		p.survived = p.lost + p.failed
		if p.lostAt.IsZero() {
			p.log.client(p.try, "connected")
			return
		}
		p.log.client(p.try, "connected again after %d ms; %s without an echo",
			p.wasDown(now).Milliseconds(), plural(p.outbox.waiting(), "message"))
	case reconnect.Stopped:
		if from != reconnect.Connected && !p.lostAt.IsZero() {
			p.wasDown(now)
		}
		p.log.client(0, "stopped")
	}
}

// wasDown counts a time without a connection that is over now.
func (p *peer) wasDown(now time.Time) time.Duration {
	down := now.Sub(p.lostAt)
	p.down += down
	p.downMost = max(p.downMost, down)
	return down
}

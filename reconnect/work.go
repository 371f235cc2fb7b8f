package reconnect

import (
	"context"
	"net"
	"sync"
	"time"

	"darvaza.org/x/net/lifecycle"
)

// Go runs each function in a goroutine that the client waits for. They may be
// added before [Client.Connect]. Their context is the client's. An error, or a
// panic, is judged like one of the connection: it either stops the client or
// is logged and forgotten. None is started again: one that is to serve each
// connection loops, and begins each turn with [Client.WaitConnected], whose error
// ends it. [runtime.Goexit] in one always stops the client, with
// an error. During the stop functions are still run, with the context
// cancelled, and the client waits for them, too: don't add them without end. After
// [Client.Done] they are not run. Nil functions are skipped. Go doesn't block.
func (c *Client) Go(funcs ...WorkerFunc) {
	if c.group.Hold() { // or the stop could end between the first and the second
		defer c.group.Release()
	}
	for _, run := range funcs {
		c.GoCatch(run, nil)
	}
}

// GoCatch is [Client.Go] for one function, with a catch that sees its error
// first and may turn it into nil.
func (c *Client) GoCatch(run WorkerFunc, catch CatcherFunc) {
	if run == nil {
		return
	}
	// A worker that comes too late to run stays counted: with the group done,
	// nobody waits for the count any more.
	c.workers.enter()
	counted := func(ctx context.Context) error {
		defer c.workers.leave()
		return run(ctx)
	}
	c.group.GoCatch(counted, func(ctx context.Context, err error) error {
		if catch != nil {
			caught := err
			err = lifecycle.Call(func() error { return catch(ctx, caught) })
		}
		if err == nil {
			return nil
		}
		return c.judgeWorker(ctx, err)
	})
}

// judgeWorker returns the reason to stop for, if any.
func (c *Client) judgeWorker(ctx context.Context, err error) error {
	c.heed()
	var conn net.Conn
	if s := c.current.Load(); s != nil {
		conn = s.conn
	}
	v := c.settings.Load().callbacks.Judge(ctx, conn, err)
	if v.Stop && !v.Stopping {
		return unasked(v.Reason, "worker: ")
	}
	if log, ok := c.logger().Debug().WithEnabled(); ok {
		log.WithField(LogFieldError, err).Print("worker ended")
	}
	return nil
}

// workers counts the workers under way.
type workers struct {
	mu   sync.Mutex // guards the fields below
	n    int
	gone chan struct{} // closed when n gets to 0; nil where nobody waits
}

func (w *workers) enter() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
}

func (w *workers) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n--
	if w.n == 0 && w.gone != nil {
		close(w.gone)
		w.gone = nil
	}
}

// wait gives the workers some time to end.
func (w *workers) wait(d time.Duration) {
	w.mu.Lock()
	if w.n == 0 || d <= 0 {
		w.mu.Unlock()
		return
	}
	if w.gone == nil {
		w.gone = make(chan struct{})
	}
	gone := w.gone
	w.mu.Unlock()

	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-gone:
	case <-timer.C:
	}
}

package worker

import "context"

// This file is the count behind Done. A group is done when the count is zero and
// somebody has claimed the stop; the claim itself counts until OnCancel has
// returned, so neither can be missed.

// enter counts n functions in, and is false if there is nothing left to do. It
// comes before init: a Parent that is already over can't end the group then
// before the functions have run.
func (g *Group) enter(n int) bool {
	g.mu.Lock()
	ok := n > 0 && !g.closed
	if ok {
		g.running += n
	}
	g.mu.Unlock()
	g.init()
	return ok
}

// spawn runs a function that was counted in. The goroutine is joined by eg.Wait
// in join, and by nobody earlier: while the count isn't zero nobody is past Done,
// so the errgroup never sees a Go that races its Wait.
func (g *Group) spawn(run Func, catch Catcher) {
	g.mu.Lock()
	eg := &g.needed().eg
	g.mu.Unlock()
	eg.Go(func() error {
		defer g.leave()
		guard(func() error { return run(g.ctx) }, func(err error, exited bool) {
			if err == nil || catch == nil || exited {
				g.fail(err, exited)
				return
			}
			guard(func() error { return catch(g.ctx, err) }, g.fail)
		})
		return nil
	})
}

// needed is the rare part. The caller holds mu.
func (g *Group) needed() *rare {
	if g.rare == nil {
		g.rare = new(rare)
	}
	return g.rare
}

// fail stops the group if there is an error.
func (g *Group) fail(err error, _ bool) {
	if err != nil {
		g.stop(err)
	}
}

// leave counts one out, and ends the group if it was the last.
func (g *Group) leave() {
	g.mu.Lock()
	g.running--
	last := g.claimLast()
	if g.running == 0 && g.stopping {
		g.closed = true
		if g.done != nil {
			close(g.done)
		}
	}
	g.mu.Unlock()
	if last {
		g.stopped(nil)
	}
}

// stop cancels the context and, for the first to come, tells OnCancel. The
// context decides whose cause counts, the claim who tells; they needn't be the
// same caller.
func (g *Group) stop(cause error) {
	g.cancel(cause)
	g.mu.Lock()
	first := !g.stopping
	if first {
		g.claim()
	}
	g.mu.Unlock()
	if first {
		g.stopped(cause)
	}
}

// claimLast claims the stop for a group that has run out of functions while Wait
// blocks. The caller holds mu.
func (g *Group) claimLast() bool {
	if g.running != 0 || !g.waited || g.stopping {
		return false
	}
	g.claim()
	return true
}

// claim makes the caller, who holds mu, the one who calls stopped.
func (g *Group) claim() {
	g.stopping = true
	g.running++
}

// stopped is the stop itself, run once by who has the claim.
func (g *Group) stopped(cause error) {
	// Deferred, since OnCancel may end this goroutine.
	defer g.leave()
	g.cancel(cause)
	if g.unhook != nil {
		g.unhook()
	}
	if g.OnCancel == nil {
		return
	}
	guard(func() error { g.OnCancel(context.Cause(g.ctx)); return nil }, func(err error, _ bool) {
		if err != nil {
			g.mu.Lock()
			g.needed().failure = err
			g.mu.Unlock()
		}
	})
}

// join is called when done is closed, waits for the last steps of the
// goroutines, and gives the reason.
func (g *Group) join() error {
	g.mu.Lock()
	rare := g.rare
	g.mu.Unlock()
	if rare != nil {
		_ = rare.eg.Wait()
	}
	return g.Err()
}

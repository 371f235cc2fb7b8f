package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"darvaza.org/x/net/waiter"
)

// An activity knows when something last happened on a connection.
type activity struct {
	start time.Time
	last  atomic.Int64 // since start
	busy  atomic.Bool  // it is we who make the remote wait
	held  atomic.Int64 // for how long we have
}

func newActivity() *activity { return &activity{start: time.Now()} }

func (a *activity) touch() { a.last.Store(int64(time.Since(a.start))) }

// writing marks that received data waits for the standard output, and gives the
// function that takes the mark away.
func (a *activity) writing() (done func()) {
	begin := time.Now()
	a.busy.Store(true)
	return func() {
		a.touch()
		a.held.Add(int64(time.Since(begin)))
		a.busy.Store(false)
	}
}

// listen gives the remote d to be heard, or until ctx ends. What the standard output
// takes of it is added.
func (a *activity) listen(ctx context.Context, d time.Duration) {
	end := time.Since(a.start) + d - time.Duration(a.held.Load())
	for {
		rest := d
		if !a.busy.Load() {
			rest = end + time.Duration(a.held.Load()) - time.Since(a.start)
		}
		if rest <= 0 || waiter.Sleep(ctx, rest) != nil {
			return
		}
	}
}

// watch waits until nothing has happened for d, zero meaning forever, or until
// ctx ends.
func (a *activity) watch(ctx context.Context, d time.Duration) error {
	if d == 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	for {
		rest := d
		if !a.busy.Load() {
			rest -= time.Since(a.start) - time.Duration(a.last.Load())
		}
		if rest <= 0 {
			return &idleError{d}
		}
		if err := waiter.Sleep(ctx, rest); err != nil {
			return err
		}
	}
}

// An idleError ends a connection, and asks for another one.
type idleError struct {
	after time.Duration
}

func (e *idleError) Error() string { return fmt.Sprintf("nothing sent or received for %v", e.after) }

// Temporary makes the client try again.
func (*idleError) Temporary() bool { return true }

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"darvaza.org/x/net/waiter"
)

// An activity knows when something last happened on a connection, and for how long the
// remote has had to wait for the standard output.
type activity struct {
	start time.Time

	mu    sync.Mutex
	last  time.Time
	begun time.Time     // when the standard output was given what it works on; zero: it doesn't
	held  time.Duration // for how long it has worked before
}

func newActivity() *activity {
	now := time.Now()
	return &activity{start: now, last: now}
}

func (a *activity) touch() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = time.Now()
}

// writing marks that received data waits for the standard output, and gives the
// function that takes the mark away.
func (a *activity) writing() (done func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begun = time.Now()
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.last = time.Now()
		a.held += a.last.Sub(a.begun)
		a.begun = time.Time{}
	}
}

// idle is for how long nothing has happened.
func (a *activity) idle() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.begun.IsZero() {
		return 0 // it is we who make the remote wait
	}
	return time.Since(a.last)
}

// heard is for how long the remote hasn't had to wait.
func (a *activity) heard() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	heard := now.Sub(a.start) - a.held
	if !a.begun.IsZero() {
		heard -= now.Sub(a.begun)
	}
	return heard
}

// listen gives the remote d to be heard, or until ctx ends. What the standard output
// takes of it is added. The end may be a tenth late.
func (a *activity) listen(ctx context.Context, d time.Duration) {
	end := a.heard() + d
	for rest := d; rest > 0; rest = end - a.heard() {
		// It stands still while the standard output is at work.
		if waiter.Sleep(ctx, max(rest, d/10)) != nil {
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
		rest := d - a.idle()
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

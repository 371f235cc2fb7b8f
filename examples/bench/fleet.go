package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A fleet is many members of one side, and the server they connect to.
type fleet struct {
	server  *fleetServer
	members []member
	muster  muster
}

// newFleet makes a fleet that doesn't connect yet. Timeouts are off: a fleet
// is there to notice what its server does, not to ask how long it says
// nothing.
func newFleet(e *env, s side, network string, n int) (*fleet, error) {
	server, err := newFleetServer(e, network)
	if err != nil {
		return nil, err
	}
	f := &fleet{server: server, members: make([]member, n)}
	for i := range f.members {
		m, err := newMember(s, server.addr(i), off, f.muster.up)
		if err != nil {
			server.close()
			return nil, err
		}
		f.members[i] = m
	}
	return f, nil
}

// call expects all members to come up, and the server to accept them.
func (f *fleet) call() {
	f.muster.call(len(f.members))
	f.server.muster.call(len(f.members))
}

// connect starts all members, at once or one after the other, and returns how
// long it took until all were up. It waits for the server as well, which may be
// behind.
func (f *fleet) connect(inTurn bool) (time.Duration, error) {
	f.call()
	errs := make(chan error, len(f.members))
	start := time.Now()
	for _, m := range f.members {
		if inTurn {
			errs <- m.start()
		} else {
			go func() { errs <- m.start() }()
		}
	}
	err := f.muster.wait()
	took := time.Since(start)
	for range f.members {
		if e := <-errs; err == nil {
			err = e
		}
	}
	if err == nil {
		err = f.server.muster.wait()
	}
	return took, err
}

// restart restarts the server and returns how long it took until all members
// were back.
func (f *fleet) restart() (time.Duration, error) {
	f.call()
	start := time.Now()
	if err := f.server.restart(); err != nil {
		return 0, err
	}
	err := f.muster.wait()
	took := time.Since(start)
	if err == nil {
		err = f.server.muster.wait()
	}
	return took, err
}

// stop stops all members at once and returns how long that took, and how
// many were still there long after.
func (f *fleet) stop() (took time.Duration, hung int) {
	ctx, cancel := context.WithTimeout(context.Background(), hangAfter)
	defer cancel()
	var left atomic.Int64
	var group sync.WaitGroup

	start := time.Now()
	for _, m := range f.members {
		group.Go(func() {
			if err := m.stop(ctx); errors.Is(err, context.DeadlineExceeded) {
				left.Add(1)
			}
		})
	}
	group.Wait()
	return time.Since(start), int(left.Load())
}

// hangAfter is when a member that isn't up, or isn't gone, is taken for hung.
const hangAfter = 30 * time.Second

// A muster counts members that report. Only one call is out at a time; reports
// that nobody called for don't matter.
type muster struct {
	missing atomic.Int64
	all     atomic.Pointer[chan struct{}]
}

// call expects n reports from now on.
func (m *muster) call(n int) {
	all := make(chan struct{})
	m.all.Store(&all)
	m.missing.Store(int64(n))
}

// up is a report.
func (m *muster) up() {
	if m.missing.Add(-1) == 0 {
		close(*m.all.Load())
	}
}

// wait returns when all have reported.
func (m *muster) wait() error {
	select {
	case <-*m.all.Load():
		return nil
	case <-time.After(hangAfter):
		return fmt.Errorf("%d members of the fleet are missing after %v", m.missing.Load(), hangAfter)
	}
}

package worker

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Group runs functions that stop together: at the first error, at
// [Group.Cancel] or [Group.Shutdown], or when Parent ends. It is done when it has
// been stopped and every function has returned; also when [Group.Wait] finds
// none left to wait for.
//
// The zero value works. Set the fields before the first call of a method, and
// leave them alone afterwards. All methods may be called concurrently. A function
// of the group may call any of them, but would wait for itself in Wait, and
// in Shutdown until the context of that call ends. A Group must not be copied
// after its first use, and can't be used again once it is done.
type Group struct {
	// Parent is what the context of the group derives from; nil means
	// [context.Background]. Its end stops the group, also one without any
	// function, from the first call of a method on.
	Parent context.Context
	// OnCancel, where it isn't nil, is told that the group stops and why, exactly
	// once, after the context was cancelled and before the group is done. It
	// is called by whoever starts the stop, who waits for it, so it should be
	// quick: that can be the caller of Cancel, Shutdown, Wait or Release, a function of
	// the group, or a goroutine of its own when Parent ends. It must neither
	// call Wait nor wait for Done. If it doesn't return properly the group ends
	// nevertheless, and its panic, or ErrGoexit, becomes part of the reason.
	OnCancel func(cause error)

	ctx    context.Context
	cancel context.CancelCauseFunc
	unhook func() bool // ends the watch on Parent, nil if that can't end
	once   sync.Once   // makes the three above

	// mu guards the fields below. Nothing is called under it.
	mu       sync.Mutex
	waited   bool          // Wait was called: the group ends with its last function
	stopping bool          // somebody has claimed the stop
	closed   bool          // the group is done
	running  int           // functions that haven't ended, and the stop while it is under way
	done     chan struct{} // made for who asks first, closed with closed
	rare     *rare         // made for the first who needs it
}

// rare is what a group without functions of its own, or with an OnCancel that does its
// work, goes without. Of thousands few have it.
type rare struct {
	eg      errgroup.Group
	failure error // how OnCancel failed, if it did
}

// Go runs each of funcs in a goroutine of its own; nil functions are skipped. The
// first error, [*core.PanicError] or [ErrGoexit] that comes of one stops
// the group with that cause; those that come later are dropped.
//
// It never blocks. During a stop functions still run, with a context that has
// already ended, so that they can clean up, and the group waits for them, too: it is
// never done while some are added without end. When it is done they don't run.
func (g *Group) Go(funcs ...Func) {
	n := 0
	for _, fn := range funcs {
		if fn != nil {
			n++
		}
	}
	// All at once, or the group could end between the first and the second.
	if !g.enter(n) {
		return
	}
	for _, fn := range funcs {
		if fn != nil {
			g.spawn(fn, nil)
		}
	}
}

// GoCatch is [Group.Go] for a function whose errors aren't all worth a stop: catch,
// called in the same goroutine, replaces an error of run, a panic included, and
// nil drops it. It isn't called without an error, nor for [runtime.Goexit],
// which always stops the group. A panic or Goexit of catch itself is an error too.
// A nil catch leaves errors as they are; with a nil run nothing happens.
func (g *Group) GoCatch(run Func, catch Catcher) {
	if run != nil && g.enter(1) {
		g.spawn(run, catch)
	}
}

// Hold keeps the group from being done until [Group.Release] is called, as a
// function of it would: for what has goroutines of its own, or one after the
// other. It is false when the group is done already.
func (g *Group) Hold() bool {
	return g.enter(1)
}

// Release undoes one [Group.Hold] that was true. Any goroutine may call it, as
// long as it is called once for each.
func (g *Group) Release() {
	g.leave()
}

// Context returns the context the functions get. It has the values of Parent and
// ends when the group stops; [context.Cause] tells why. It doesn't block, and
// the answer is the same each time.
func (g *Group) Context() context.Context {
	g.init()
	return g.ctx
}

// Cancel stops the group, with the given cause or [context.Canceled] if that is
// nil, and doesn't wait for the functions to return. If the group is already
// stopping it does nothing: the first cause stays.
func (g *Group) Cancel(cause error) {
	g.init()
	g.stop(cause)
}

// Shutdown stops the group as Cancel(nil) does and blocks until it is done, when
// it returns [Group.Err], or until ctx ends, when it returns the error of
// ctx and the stop goes on. For a group that is done it returns the reason
// whatever the state of ctx. A nil ctx never ends.
func (g *Group) Shutdown(ctx context.Context) error {
	g.Cancel(nil)
	if ctx == nil {
		ctx = context.Background()
	}
	done := g.Done()
	select {
	case <-done:
	case <-ctx.Done():
		select {
		case <-done:
		default:
			return ctx.Err()
		}
	}
	return g.join()
}

// Wait blocks until every function has returned, those added meanwhile included.
// Then the group is done, also if nothing has stopped it before, and Wait
// returns [Group.Err]. With no function running it ends the group at once.
func (g *Group) Wait() error {
	g.init()
	g.mu.Lock()
	g.waited = true
	last := g.claimLast()
	g.mu.Unlock()
	if last {
		g.stopped(nil)
	}
	<-g.Done()
	return g.join()
}

// Done returns a channel that is closed when the group is done. It is the same
// one each time, and watching it costs no goroutine.
func (g *Group) Done() <-chan struct{} {
	g.init()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.done == nil {
		// Not made before: of thousands of groups few are watched at a time.
		g.done = make(chan struct{})
		if g.closed {
			close(g.done)
		}
	}
	return g.done
}

// Err returns why the group stopped, and nil as long as it doesn't: the first
// error of a function, the argument of Cancel, or the cause of Parent. It is
// nil as well after a stop without a reason, that is Cancel(nil), Shutdown, Wait,
// a Parent that was merely cancelled: all whose cause is [context.Canceled] itself.
// The failure of an OnCancel is joined to it. Match with [errors.Is] and [errors.As].
func (g *Group) Err() error {
	g.init()
	cause := context.Cause(g.ctx)
	if cause == context.Canceled {
		cause = nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rare != nil && g.rare.failure != nil {
		return errors.Join(cause, g.rare.failure)
	}
	return cause
}

// init makes the context, and watches a Parent that can end.
func (g *Group) init() {
	g.once.Do(func() {
		parent := g.Parent
		if parent == nil {
			parent = context.Background()
		}
		g.ctx, g.cancel = context.WithCancelCause(parent)
		if parent.Done() != nil {
			// If parent is over this starts at once, in a goroutine of its own, and
			// waits in Cancel until init is through. Of a parent that isn't of package
			// context it may hear before the group's context, whose Err is to be parent's.
			g.unhook = context.AfterFunc(parent, func() {
				<-g.ctx.Done()
				g.Cancel(context.Cause(g.ctx))
			})
		}
	})
}

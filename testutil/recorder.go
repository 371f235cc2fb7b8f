package testutil

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Recorder notes events, such as calls of callbacks, so that a test can wait
// for them and assert their order afterwards. The zero value is ready. All
// methods may be called concurrently; those that don't begin with Wait never
// block.
type Recorder struct {
	state watch // guards the fields below

	events   []event
	running  []*span
	overlaps []string
}

type event struct {
	name string
	args []any
}

// span is the time between an Enter and its leave.
type span struct{ name string }

// NewRecorder makes an empty recorder.
func NewRecorder() *Recorder { return new(Recorder) }

// Record notes that an event happened, with values to look at later.
func (r *Recorder) Record(name string, args ...any) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	r.add(name, args)
}

// Enter notes an event that lasts until leave is called, which is for a defer:
//
//	defer recorder.Enter("OnConnect")()
//
// It counts as one event, at its beginning. [Recorder.AssertNoOverlap] tells
// whether another one was going on at the time. Calling leave again does nothing.
func (r *Recorder) Enter(name string, args ...any) (leave func()) {
	s := &span{name: name}

	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	for _, other := range r.running {
		r.overlaps = append(r.overlaps, fmt.Sprintf("%s began during %s", name, other.name))
	}
	r.running = append(r.running, s)
	r.add(name, args)
	return func() { r.leave(s) }
}

func (r *Recorder) leave(s *span) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	r.running = slices.DeleteFunc(r.running, func(other *span) bool { return other == s })
}

// add appends an event. The caller holds state.
func (r *Recorder) add(name string, args []any) {
	r.events = append(r.events, event{name: name, args: args})
	r.state.notify()
}

// Events gives the names of all events so far, in order.
func (r *Recorder) Events() []string {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	names := make([]string, 0, len(r.events))
	for _, e := range r.events {
		names = append(names, e.name)
	}
	return names
}

// Args gives the values noted with each occurrence of an event, in order.
func (r *Recorder) Args(name string) [][]any {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	var args [][]any
	for _, e := range r.events {
		if e.name == name {
			args = append(args, slices.Clone(e.args))
		}
	}
	return args
}

// Count gives the number of times an event happened so far.
func (r *Recorder) Count(name string) int {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	return r.count(name)
}

// count is Count for a caller that holds state.
func (r *Recorder) count(name string) int {
	n := 0
	for _, e := range r.events {
		if e.name == name {
			n++
		}
	}
	return n
}

// WaitFor blocks until an event has happened at least n times since the start,
// or the last Reset. When ctx ends first the error matches its cause.
func (r *Recorder) WaitFor(ctx context.Context, name string, n int) error {
	var have int
	err := r.state.await(ctx, func() (bool, error) {
		have = r.count(name)
		return have >= n, nil
	})
	if err != nil {
		return fmt.Errorf("testutil: waiting for event %q to happen %d times, have %d: %w", name, n, have, err)
	}
	return nil
}

// Reset forgets all events and overlaps. Spans that are going on still are.
func (r *Recorder) Reset() {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	r.events, r.overlaps = nil, nil
}

// String gives the names of the events, for the message of a failed assertion.
func (r *Recorder) String() string {
	return "[" + strings.Join(r.Events(), " ") + "]"
}

// GoString is [Recorder.String].
func (r *Recorder) GoString() string { return r.String() }

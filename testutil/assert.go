package testutil

import (
	"slices"
	"strings"
)

// AssertOrder reports a failure unless the given events happened in that order,
// others in between allowed. It returns whether they did, and looks at what was
// recorded until now: wait for the last event first.
func (r *Recorder) AssertOrder(tb TB, events ...string) bool {
	tb.Helper()
	recorded := r.Events()
	rest := recorded
	for n, want := range events {
		i := slices.Index(rest, want)
		if i < 0 {
			tb.Errorf("testutil: events out of order: no %q (number %d of the %d expected) after the ones before it\nexpected: [%s]\nrecorded: [%s]",
				want, n+1, len(events), strings.Join(events, " "), strings.Join(recorded, " "))
			return false
		}
		rest = rest[i+1:]
	}
	return true
}

// AssertExactly reports a failure unless the given events happened in that
// order and nothing else did. It returns whether that is so.
func (r *Recorder) AssertExactly(tb TB, events ...string) bool {
	tb.Helper()
	recorded := r.Events()
	if slices.Equal(recorded, events) {
		return true
	}
	same := 0
	for same < len(recorded) && same < len(events) && recorded[same] == events[same] {
		same++
	}
	tb.Errorf("testutil: events differ from number %d on\nexpected: [%s]\nrecorded: [%s]",
		same+1, strings.Join(events, " "), strings.Join(recorded, " "))
	return false
}

// AssertPaired reports a failure unless the two events alternate: each opening
// is followed by one closing before the next opening, no closing comes without
// an opening, and nothing is left open at the end. Other events don't matter.
// It returns whether that is so, which is the case too if neither happened.
func (r *Recorder) AssertPaired(tb TB, opening, closing string) bool {
	tb.Helper()
	recorded := r.Events()
	fail := func(problem string, number int) bool {
		tb.Helper()
		tb.Errorf("testutil: %q and %q aren't paired: event %d %s\nrecorded: [%s]",
			opening, closing, number, problem, strings.Join(recorded, " "))
		return false
	}
	openAt := 0 // the number of the event that opened, 0 when closed
	for i, name := range recorded {
		switch {
		case name == opening && openAt > 0:
			return fail("opens again before a closing", i+1)
		case name == opening:
			openAt = i + 1
		case name == closing && openAt == 0:
			return fail("closes what isn't open", i+1)
		case name == closing:
			openAt = 0
		}
	}
	if openAt > 0 {
		return fail("was never closed", openAt)
	}
	return true
}

// AssertNoOverlap reports a failure if an event noted by [Recorder.Enter] began
// before another one had ended. It returns whether there was none of it.
func (r *Recorder) AssertNoOverlap(tb TB) bool {
	tb.Helper()
	r.state.mu.Lock()
	overlaps := slices.Clone(r.overlaps)
	r.state.mu.Unlock()

	if len(overlaps) == 0 {
		return true
	}
	tb.Errorf("testutil: events overlap:\n\t%s", strings.Join(overlaps, "\n\t"))
	return false
}

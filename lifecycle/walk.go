package lifecycle

import (
	"darvaza.org/core"
)

// maxNodes bounds how many errors of one tree are looked at. Chains that go in
// circles, and joins of joins that repeat their parts, would have no end.
const maxNodes = 1 << 14

// walk counts down the nodes of an error tree that may still be visited.
type walk struct {
	left int
}

// step takes one node from the budget, and is false once that is used up.
func (w *walk) step() bool {
	if w.left == 0 {
		return false
	}
	w.left--
	return true
}

// find looks for a node that match accepts, in the order of errors.Is. The
// recursion is no deeper than joins are nested, and the budget bounds that.
func (w *walk) find(err error, match func(error) bool) bool {
	for err != nil && w.step() {
		if match(err) {
			return true
		}
		parts, next := unwrap(err)
		for _, part := range parts {
			if w.find(part, match) {
				return true
			}
		}
		err = next
	}
	return false
}

// unwrap gives what err wraps: several errors or one, never both.
func unwrap(err error) (parts []error, next error) {
	switch x := err.(type) {
	case interface{ Unwrap() error }:
		return nil, x.Unwrap()
	case interface{ Unwrap() []error }:
		return x.Unwrap(), nil
	default:
		return nil, nil
	}
}

// anyNode reports whether match accepts a node of err's tree. A foreign method
// that panics, as those of a nil pointer inside an error do, ends the search.
func anyNode(err error, match func(error) bool) (found bool) {
	defer onPanic(&found, false)
	return newWalk().find(err, match)
}

// holds is anyNode for what must not be overlooked: where the search ends early
// the answer is yes.
func holds(err error, match func(error) bool) (found bool) {
	defer onPanic(&found, true)
	w := newWalk()
	return w.find(err, match) || w.left == 0
}

// anyIs is errors.Is for targets of this package, over a bounded walk.
func anyIs(err, target error) bool {
	return anyNode(err, func(node error) bool { return matches(node, target) })
}

func newWalk() *walk {
	return &walk{left: maxNodes}
}

// onPanic is deferred by functions that call methods of foreign errors: such a
// method may panic, and then the function's result becomes answer.
func onPanic(result *bool, answer bool) {
	if recover() != nil {
		*result = answer
	}
}

// matches is the test errors.Is makes on each node. All targets here have
// comparable types, so that == doesn't panic, whatever err is.
func matches(err, target error) bool {
	if err == target {
		return true
	}
	x, ok := err.(interface{ Is(error) bool })
	return ok && x.Is(target)
}

// isPanic recognises the error that a recovered panic became.
func isPanic(err error) bool {
	_, ok := err.(core.Recovered)
	return ok
}

// isStop recognises [ErrDoNotReconnect] and its kind.
func isStop(err error) bool {
	if s, ok := err.(stopper); ok && s.DoNotReconnect() {
		return true
	}
	return matches(err, ErrDoNotReconnect)
}

// isBareStop recognises an error of that kind which carries no other error.
func isBareStop(err error) (is bool) {
	defer onPanic(&is, false)
	s, ok := err.(stopper)
	if !ok || !s.DoNotReconnect() {
		return false
	}
	parts, next := unwrap(err)
	return next == nil && len(parts) == 0
}

// Package waiter holds functions that wait before something is tried again.
//
// The entry points, in the order one meets them:
//
//   - [NewConstant] waits the same time before every attempt, and
//     [NewExponential] waits longer each time, at random around the step so that
//     many clients don't come back in the same instant.
//   - [Limit] and [LimitElapsed] put an end to it, and [Chain] runs several
//     waiters one after the other.
//   - [NewImmediateError] and [NewDoNotReconnect] refuse to go on at all.
//   - [Backoff] is the arithmetic of [NewExponential] for a loop that does its
//     own waiting, and [Sleep] is the wait all of them share.
//   - [WithAttempt] and [AttemptFrom] are for whoever owns the loop: what a
//     waiter has to know about it travels in the context. [OnSleep] is the way
//     back: it tells the owner when the wait will be over.
//
// A waiter answers nil for "try again" and an error for "stop". It keeps no
// state of its own: the same value may serve thousands of loops at once.
//
// The module isn't a retry loop, doesn't judge errors, and doesn't limit how
// often something happens across many callers; the Wait method of a token bucket
// has the right type to be a link of a [Chain].
//
// It needs nothing but the standard library.
package waiter

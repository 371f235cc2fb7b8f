// Package worker runs goroutines that belong together, and knows when and why
// they have ended.
//
// The entry points, in the order one meets them:
//
//   - [Run] runs a few functions for as long as all of them last, and is enough
//     where the set of functions is known from the start.
//   - [Group] is for a set that grows while it runs: [Group.Go] and
//     [Group.GoCatch] add functions, the first error stops them all, and
//     [Group.Shutdown], [Group.Wait] and [Group.Done] say when they are gone.
//   - [NewShutdownFunc] makes a function of something that has to be told to
//     stop, and [NewCatchFunc] says which errors are none.
//
// On top of an errgroup, which it uses, it adds what a long-lived component
// needs: a panic, or the end of a goroutine by [runtime.Goexit], is an error
// like any other and takes neither the process nor the waiting side down;
// functions may be added at any time, by anyone, until the last one has ended; and
// the end shows as a channel that costs no goroutine.
//
// It isn't a supervisor that starts again what has failed, it doesn't limit how
// many goroutines run, and it can't stop a function that ignores its context.
package worker

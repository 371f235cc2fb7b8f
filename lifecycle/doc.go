// Package lifecycle holds the decisions in the life of a connection that is made
// again whenever it is lost: which callbacks there are and how they are run, which
// states it passes through, and which errors end it.
//
// In the order in which a connection meets them:
//
//   - [Callbacks] are the hooks, and its methods run them so that a panic becomes
//     an error ([Call] does that for any function);
//   - [ConnFrom] gives a session its connection out of the context;
//   - [Judge] and [JudgeStop] decide between another try and the end, and ask
//     the user's [ErrorFunc] where there is one;
//   - [IsFatal] is the opinion they hold where there is none;
//   - [Reason] tells a wanted end from a failure, once all is over;
//   - [State] and [Status] describe the whole to whoever watches.
//
// Nothing here opens a connection, waits, retries, logs or starts a goroutine:
// that is the business of a client built on top, such as the package reconnect.
// Everything may be used concurrently unless its comment says otherwise.
package lifecycle

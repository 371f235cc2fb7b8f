// Package testutil helps to test programs that talk over connections: it has
// servers that misbehave on demand, connections that fail when told to, and
// recorders that say afterwards what happened, in which order, and what was
// left behind.
//
// In the order one usually needs them:
//
//   - [NewEchoServer], [NewLineServer] and [NewServer] start a real server on
//     loopback, over TCP or a Unix socket, for the length of a test. It can be
//     stopped and restarted on its address, go silent, hang up and reset.
//     [StartServer] does the same outside of a test.
//   - [BlackHole] gives an address where a dial gets no answer at all.
//   - [Pipe] is a server in memory with a DialContext of its own, made for
//     bubbles of testing/synctest, where real sockets can't be used.
//   - [FaultConn] wraps a connection to make its reads and writes fail, and
//     counts what was asked of it.
//   - [Recorder] notes callbacks and asserts their order, that they come in
//     pairs, and that none ran while another did.
//   - [Logger] is a [darvaza.org/slog.Logger] that keeps its entries.
//   - [CheckLeaks] fails a test that leaves goroutines or descriptors behind,
//     [Main] does so for a whole package.
//
// Whatever takes a [TB] accepts a *testing.T, *testing.B or *testing.F; the
// package itself doesn't import testing, so a program may use it as well.
//
// It is not for production: the servers have no limits, no authentication and
// no encryption, and the recorders keep everything until told to forget it. It
// doesn't simulate networks either, so there is no latency, loss or bandwidth
// to set.
package testutil

// Package reconnect keeps one TCP or Unix-socket connection alive: it dials,
// runs your session, notices the failure, waits, and dials again, until you
// stop it.
//
// In the order of use:
//
//   - [Config] says where to connect and what to call; only Remote is required.
//   - [New] makes a [Client] of it, [Client.Connect] starts it,
//     [Client.WaitConnected] waits until it is up.
//   - [Config.OnSession] runs your protocol, with [Client.Read] and
//     [Client.Write], which are bounded by timeouts, or with the connection
//     itself, from [ConnFrom].
//   - [Client.Go] adds workers that live as long as the client.
//   - [Client.Status], [Client.WaitStatus] and [Config.OnState] show what it is at.
//   - [Client.Reconnect] and [Client.Reload] make it dial again, or work by other
//     settings.
//   - [Client.Shutdown] stops it, [Client.Wait] waits for its end; both say why.
//
// What an error means, a retry or the end, is decided in one place: by
// [Config.OnError] where it is set, and by [IsFatal] otherwise. Failures of
// the network are worth a retry, wherever they surface; errors of your own
// session stop the client unless they say otherwise.
//
// The parts are modules that can be used alone: dialer (remotes, parallel
// dialling), waiter (backoff), worker (supervision) and lifecycle (callbacks,
// states, the judgement of errors). Package stream, which is in this module,
// exchanges messages over a connection.
//
// The package doesn't buffer writes while there is no connection, and doesn't
// hide a reconnection behind Read and Write: your protocol has to greet the
// server anew, and knows best what to send again.
package reconnect

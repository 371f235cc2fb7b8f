// Package stream exchanges messages over a connection.
//
// A [StreamSession] is set up by its fields, and then used in this order:
//
//   - [StreamSession.Spawn] starts it;
//   - [StreamSession.Next] and [StreamSession.Recv] give the messages of the peer;
//   - [StreamSession.Send], [StreamSession.SendContext] and [StreamSession.TrySend]
//     queue messages to it, and differ in what they do when the queue is full;
//   - [StreamSession.Go] and [StreamSession.GoCatch] run functions that belong to
//     the session, such as a heartbeat;
//   - [StreamSession.Shutdown] ends it when all is sent, [StreamSession.Close] at
//     once, and [StreamSession.Wait] waits for the end and tells the reason.
//
// Where messages begin and end is decided by a [bufio.SplitFunc] on the way in, lines
// by default, and by Marshal on the way out. Two framings are ready made: [SplitFrame]
// with [MarshalFrame] for messages with their length in front, and [MarshalJSON]
// with [UnmarshalJSON] for a JSON value on each line.
//
// A session lasts as long as its connection. It doesn't dial, doesn't reconnect, and
// keeps no message for the next connection; it doesn't match answers to
// questions, and it isn't meant for messages too large to be held in memory.
package stream

package stream

// Recv returns the channel on which messages of the peer arrive; it is the same
// one each time. It is closed when the inbound stream has ended and when the
// session has, and then still gives what was ready to be received.
//
// Somebody should receive. The session reads a few messages ahead, and then waits:
// a peer that sends more is held back, and its end isn't noticed. An end of the
// session doesn't depend on it.
func (s *StreamSession[Input, _]) Recv() <-chan Input {
	return s.live("Recv").in
}

// Next blocks until there is a message and returns it, or false once Recv's channel
// is closed and empty. If that is because of an error [StreamSession.Err] gives it by
// then. Several goroutines may share the messages by Next and Recv.
func (s *StreamSession[Input, _]) Next() (Input, bool) {
	m, ok := <-s.live("Next").in
	return m, ok
}

package reconnect

import (
	"time"

	"darvaza.org/x/net/lifecycle"
)

// snapshot is an immutable Status, without what follows from the rest, with what
// goes with it. Every client keeps one.
type snapshot struct {
	version  uint64
	state    State
	stage    stage // where lastError comes from
	overcome bool  // there was a connection since
	since    time.Time
	remote   *remote // the one tried last
	attempt  int

	lastError   error
	lastErrorAt time.Time
	nextAttempt *time.Time // nil: not known

	attempts, failures, sessions uint64
}

// status is the Status, all but the bytes.
func (st *snapshot) status() Status {
	status := Status{
		Version:     st.version,
		State:       st.state,
		Since:       st.since,
		Remote:      st.remote.text,
		Attempt:     st.attempt,
		LastError:   st.lastError,
		LastErrorAt: st.lastErrorAt,
		Attempts:    st.attempts,
		Failures:    st.failures,
		Sessions:    st.sessions,
	}
	if st.nextAttempt != nil {
		status.NextAttempt = *st.nextAttempt
	}
	if st.state == lifecycle.Connected {
		status.ConnectedSince = st.since
	}
	return status
}

// State returns where the client is at. It never blocks.
func (c *Client) State() State {
	return c.status.Load().state
}

// Status returns a snapshot of what the client is at and has been through. It
// never blocks and allocates nothing.
func (c *Client) Status() Status {
	st := c.snapshot()
	status := st.status()
	status.BytesRead, status.BytesWritten = c.bytes()
	return status
}

// bytes are those that have gone through the client. They never go down.
func (c *Client) bytes() (read, written uint64) {
	c.counters.Lock()
	defer c.counters.Unlock()
	read, written = c.read, c.written
	if s := c.current.Load(); s != nil {
		read += s.in.bytes()
		written += s.out.bytes()
	}
	return read, written
}

// collect takes over what a session has counted.
func (c *Client) collect(s *session) {
	c.counters.Lock()
	defer c.counters.Unlock()
	c.read += s.in.collect()
	c.written += s.out.collect()
}

// count adds bytes of a call that ended after its session.
func (c *Client) count(write bool, n int) {
	c.counters.Lock()
	defer c.counters.Unlock()
	if write {
		c.written += uint64(n)
	} else {
		c.read += uint64(n)
	}
}

func (c *Client) snapshot() snapshot {
	return *c.status.Load()
}

// draft is the snapshot to come, for the loop to write to. Nobody else sees it
// before it is published.
func (c *Client) draft() *snapshot {
	if c.loop.draft == nil {
		st := c.snapshot()
		c.loop.draft = &st
	}
	return c.loop.draft
}

// publish makes the draft the current one and wakes who waits for it.
func (c *Client) publish() {
	st := c.draft()
	c.loop.draft = nil
	for {
		old := c.status.Load()
		st.version = old.version + 1
		if c.status.CompareAndSwap(old, st) {
			break
		}
	}
	c.wake()
}

// showRemote tells what an idle client is to dial.
func (c *Client) showRemote(set *settings) {
	old := c.status.Load()
	r := &set.remotes[0]
	if old.state != lifecycle.Idle || old.remote.text == r.text {
		return
	}
	st := *old
	st.version++
	st.remote = r
	if c.status.CompareAndSwap(old, &st) {
		c.wake()
	}
}

// to moves the client to another state, or to the begin of the same one.
func (c *Client) to(state State) {
	c.toSince(state, time.Now())
}

func (c *Client) toSince(state State, since time.Time) {
	st := c.draft()
	from := st.state
	st.state = state
	st.since = since
	st.nextAttempt = nil
	switch state {
	case lifecycle.Connected:
		st.sessions++
		st.overcome = true
	case lifecycle.Stopped:
		if err := c.Err(); err != nil && !same(err, st.lastError) {
			st.lastError, st.lastErrorAt = err, st.since
		}
	}
	c.publish()
	if from != state { // an attempt begun anew is another snapshot, and no change
		c.tell(from, state)
	}
}

// tell calls OnState. It has no error to return, but it can panic.
func (c *Client) tell(from, to State) {
	callbacks := &c.settings.Load().callbacks
	if callbacks.OnState == nil {
		return
	}
	err := c.call(func() error { return callbacks.State(from, to) })
	if err == nil {
		return
	}
	var v lifecycle.Verdict
	_ = c.call(func() error {
		v = callbacks.Judge(c.Context(), nil, err)
		if v.Stopping {
			c.logDebug("OnState failed", err)
		}
		return nil
	})
	if v.Stop {
		c.stop(v, "OnState: ")
	}
}

// nextAttempt shows when the wait will be over, where the waiter tells. That
// may come from a goroutine of the waiter's, and late.
func (s *session) nextAttempt(at time.Time) {
	c := s.client
	old := c.status.Load()
	if c.turn.Load() != s || old.state != lifecycle.Waiting {
		return
	}
	st := *old
	st.version++
	st.nextAttempt = &at
	if c.status.CompareAndSwap(old, &st) {
		c.wake()
	}
}

// prefix names the phase that an error comes from. Dial errors do so
// themselves.
func (s stage) prefix() string {
	switch s {
	case stageConnect:
		return "OnConnect: "
	case stageSession:
		return "session: "
	case stageGoodbye:
		return "OnDisconnect: "
	default:
		return ""
	}
}

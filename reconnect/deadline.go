package reconnect

import "time"

// SetReadDeadline sets one deadline for all reads of the current connection,
// d from now. It takes the place of ReadTimeout until [Client.ResetReadDeadline],
// the start of OnDisconnect, which sets one itself, or the connection's end; once
// it has passed every Read fails with an error that matches
// [os.ErrDeadlineExceeded]. Zero or less means no deadline at all. A Read that
// blocks already obeys it too. Without a connection it returns
// [ErrNotConnected], during a stop [ErrClosed].
func (c *Client) SetReadDeadline(d time.Duration) error {
	s := c.current.Load()
	if s == nil {
		return ErrNotConnected
	}
	return s.in.fix(d)
}

// SetWriteDeadline is [Client.SetReadDeadline] for writes.
func (c *Client) SetWriteDeadline(d time.Duration) error {
	s := c.current.Load()
	if s == nil {
		return ErrNotConnected
	}
	return s.out.fix(d)
}

// SetDeadline is [Client.SetReadDeadline] and [Client.SetWriteDeadline] in
// one. A write of zero beside a positive read means the same as read.
func (c *Client) SetDeadline(read, write time.Duration) error {
	s := c.current.Load()
	if s == nil {
		return ErrNotConnected
	}
	if write == 0 && read > 0 {
		write = read
	}
	if err := s.in.fix(read); err != nil {
		return err
	}
	return s.out.fix(write)
}

// ResetReadDeadline takes back what [Client.SetReadDeadline] did: ReadTimeout
// bounds each Read again. A Read that blocks already counts from now. Without
// a connection it returns [ErrNotConnected], during a stop [ErrClosed].
func (c *Client) ResetReadDeadline() (err error) {
	s := c.current.Load()
	if s == nil {
		return ErrNotConnected
	}
	c.withSettings(func(set *settings) { err = s.in.reset(set.readTimeout) })
	return err
}

// ResetWriteDeadline is [Client.ResetReadDeadline] for writes and WriteTimeout.
func (c *Client) ResetWriteDeadline() (err error) {
	s := c.current.Load()
	if s == nil {
		return ErrNotConnected
	}
	c.withSettings(func(set *settings) { err = s.out.reset(set.writeTimeout) })
	return err
}

// ResetDeadline is [Client.ResetReadDeadline] and [Client.ResetWriteDeadline]
// in one.
func (c *Client) ResetDeadline() (err error) {
	s := c.current.Load()
	if s == nil {
		return ErrNotConnected
	}
	c.withSettings(func(set *settings) {
		if err = s.in.reset(set.readTimeout); err == nil {
			err = s.out.reset(set.writeTimeout)
		}
	})
	return err
}

// TimeoutToAbsoluteTime returns base plus d, where a zero base stands for the
// present. A d of zero or less gives the zero time, which is no deadline.
func TimeoutToAbsoluteTime(base time.Time, d time.Duration) time.Time {
	switch {
	case d <= 0:
		return time.Time{}
	case base.IsZero():
		base = time.Now()
	}
	return base.Add(d)
}

package reconnect

import "errors"

// Reconnect drops the current connection and dials at once, without a wait. A
// session is ended as by a stop: its context ends, reads are cut short, and
// OnDisconnect runs. An attempt under way is begun anew. A wait is cut short,
// once: should the attempt fail, the waits go on from the same step. It
// doesn't block, and may be called from a callback.
//
// Before [Client.Connect] it returns [ErrNotConnected]; on a client that is
// stopping or stopped an error that matches [ErrClosed] and the reason.
func (c *Client) Reconnect() error {
	switch {
	case c.Context().Err() != nil:
		return c.stoppedError()
	case c.phase.Load() != phaseLoop:
		return ErrNotConnected
	}
	c.dialAgain(errRedial)
	return nil
}

// dialAgain ends the turn that the loop is at. The flag is for the loop when it
// is between two.
func (c *Client) dialAgain(cause error) {
	c.redial.Store(true)
	if s := c.turn.Load(); s != nil {
		s.drop(cause)
	}
}

// Reload applies the edited [Client.Config] to the running client. Timeouts,
// callbacks and the logger count from their next use. Another Remote,
// Alternates, Dialer or TLSConfig ends the session, or the attempt or wait,
// and dials at once. A tls.Config counts as another when the pointer is.
//
// A Config that isn't valid is rejected whole, with the error of
// [Config.Valid], and changes nothing. So is another Context. On a client that
// is stopping or stopped the error matches [ErrClosed] and the reason. It
// doesn't block, and may be called from a callback. The caller sees to it
// that nobody writes to the Config meanwhile.
func (c *Client) Reload() error {
	if c.Context().Err() != nil {
		return c.stoppedError()
	}
	cfg := c.config.copy()
	if cfg.Context != nil && !same(cfg.Context, c.group.Parent) {
		return invalid("Context", errors.New("can't be changed by a Reload"))
	}
	if err := cfg.SetDefaults(); err != nil {
		return err
	}
	if err := cfg.Valid(); err != nil {
		return err
	}

	set := new(settings)
	set.take(&cfg)
	old := c.settings.Swap(set)
	if !sameRoute(old, set) {
		if c.phase.Load() == phaseLoop {
			c.dialAgain(errNewRoute)
		} else {
			c.withSettings(c.showRemote)
		}
		return nil
	}
	if s := c.current.Load(); s != nil {
		c.withSettings(s.rebound)
	}
	return nil
}

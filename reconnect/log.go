package reconnect

import (
	"net"

	"darvaza.org/slog"

	"darvaza.org/x/net/lifecycle"
)

// Names of the fields in the client's log.
const (
	// LogFieldAddress has the address of the remote.
	LogFieldAddress = "addr"
	// LogFieldError has the error.
	LogFieldError = slog.ErrorFieldName
	// LogFieldAttempt has the number of the attempt since the last stable
	// session.
	LogFieldAttempt = "attempt"
	// LogFieldNetwork has the network of the remote, "tcp" or "unix".
	LogFieldNetwork = "network"
)

// WithDebug returns a logger of debug level that carries addr, unless that is
// nil, and true; or nil and false where that level is off.
func (c *Client) WithDebug(addr net.Addr) (slog.Logger, bool) {
	return withAddr(addr)(c.logger().Debug().WithEnabled())
}

// WithInfo is [Client.WithDebug] for the info level.
func (c *Client) WithInfo(addr net.Addr) (slog.Logger, bool) {
	return withAddr(addr)(c.logger().Info().WithEnabled())
}

// WithError is [Client.WithDebug] for the error level, and carries err as
// well, unless [IsNonError] says that it isn't one.
func (c *Client) WithError(addr net.Addr, err error) (slog.Logger, bool) {
	log, ok := withAddr(addr)(c.logger().Error().WithEnabled())
	if ok && !IsNonError(err) {
		log = log.WithField(LogFieldError, err)
	}
	return log, ok
}

func (c *Client) logger() slog.Logger {
	return c.settings.Load().logger
}

func withAddr(addr net.Addr) func(slog.Logger, bool) (slog.Logger, bool) {
	return func(log slog.Logger, ok bool) (slog.Logger, bool) {
		switch {
		case !ok:
			return nil, false
		case addr != nil:
			log = log.WithField(LogFieldAddress, addr.String())
		}
		return log, true
	}
}

// entry begins a line of the loop's with what all of them carry. Nothing is put
// together where the level is off.
func (c *Client) entry(level slog.LogLevel, err error) (slog.Logger, bool) {
	log := c.logger()
	if log == silent {
		return nil, false // which even asking would cost an allocation
	}
	log, ok := log.WithLevel(level).WithEnabled()
	if !ok {
		return nil, false
	}
	st := c.snapshot()
	log = log.WithField(LogFieldAddress, st.remote.address).
		WithField(LogFieldNetwork, st.remote.network)
	if st.attempt > 0 {
		log = log.WithField(LogFieldAttempt, st.attempt)
	}
	if err != nil {
		log = log.WithField(LogFieldError, err)
	}
	return log, true
}

func (c *Client) logConnected() {
	if log, ok := c.entry(slog.Info, nil); ok {
		log.Print("connected")
	}
}

// logEnd tells how a turn of the loop ended.
func (c *Client) logEnd(s *session, v lifecycle.Verdict, err error) {
	switch {
	case s.stage == stageSession:
		if v.Stopping && err != nil {
			c.logDebug("session cut short", err)
			err = nil
		}
		if log, ok := c.entry(slog.Info, err); ok {
			log.Print("disconnected")
		}
	case v.Stopping, v.Told:
		c.logDebug("attempt failed", err)
	default:
		if log, ok := c.entry(slog.Warn, err); ok {
			log.Print("attempt failed")
		}
	}
}

func (c *Client) logDebug(msg string, err error) {
	if log, ok := c.entry(slog.Debug, err); ok {
		log.Print(msg)
	}
}

func (c *Client) logStopped() {
	err := c.Err()
	level := slog.Info
	if err != nil {
		level = slog.Error
	}
	if log, ok := c.entry(level, err); ok {
		log.Print("stopped")
	}
}

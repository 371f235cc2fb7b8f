package dialer

import (
	"context"
	"net"
	"syscall"
	"time"
)

const (
	defaultKeepAlive = 5 * time.Second
	defaultTimeout   = 2 * time.Second

	// A peer counts as dead once this many probes went unanswered.
	keepAliveProbes = 3

	// maxKeepAlive is what Linux takes. A larger time would be ignored, and
	// the system's own settings hold.
	maxKeepAlive = 32767 * time.Second
)

// Config says how connections are opened. Its zero value is ready for use.
//
// [New] and [Config.Export] copy the Config; a later change to it does not
// reach the dialers made before.
type Config struct {
	// KeepAlive is both the time a TCP connection may be silent before it is
	// probed and the time between two probes. The third unanswered probe
	// ends the connection, so a peer that vanished is noticed after four
	// times KeepAlive. Zero means 5 seconds, a negative value no probes.
	// Systems that count in seconds round up, and 32767 seconds count for
	// more, as Linux takes no more. Unix sockets ignore it.
	KeepAlive time.Duration

	// Timeout bounds one DialContext, the look-up of the name included.
	// Zero means 2 seconds, a negative value no bound but that of the
	// context and of the operating system.
	Timeout time.Duration

	// OnSocket, when set, sees every socket before it connects: one call for
	// each address that is tried, TCP and Unix alike. An error from it fails
	// the attempt at that address and can be matched in what DialContext
	// returns. A panic becomes a [darvaza.org/core.PanicError] and a
	// [runtime.Goexit] an error that says so; both fail the attempt, neither
	// leaks the socket.
	//
	// It runs on a goroutine of its own, and the DialContext of [New] does not
	// return before it has: a function that may take long has to heed its
	// context. Its calls never overlap within one DialContext.
	OnSocket func(context.Context, syscall.RawConn) error

	// Resolver looks names up. Nil means [net.DefaultResolver], as it is at
	// the time of the dial.
	Resolver *net.Resolver
}

// Export returns the settings as a dialer of the standard library, for code
// that asks for one.
//
// That dialer tries the addresses of one family in turn, and with a timeout
// of up to two seconds for the first alone; [New] makes one that gives every
// address its try. Of a race between the two families it does not wait for
// the loser. The calls of OnSocket never overlap across all dials of one
// exported dialer, so OnSocket can't dial through that same dialer.
func (cfg Config) Export() net.Dialer {
	d := cfg.export()
	if cfg.OnSocket != nil {
		// The standard dialer races the two address families and offers no
		// way to tell which dial a socket belongs to: one slot serves all.
		d.ControlContext = control(cfg.OnSocket, newSlot())
	}
	return d
}

// export converts everything but OnSocket.
func (cfg Config) export() net.Dialer {
	d := net.Dialer{
		Timeout:  orDefault(cfg.Timeout, defaultTimeout),
		Resolver: cfg.Resolver,
	}

	if keepAlive := min(orDefault(cfg.KeepAlive, defaultKeepAlive), maxKeepAlive); keepAlive > 0 {
		d.KeepAliveConfig = net.KeepAliveConfig{
			Enable:   true,
			Idle:     keepAlive,
			Interval: keepAlive,
			Count:    keepAliveProbes,
		}
	} else {
		// Only a negative value turns the standard dialer's own probes off.
		d.KeepAlive = -1
	}
	return d
}

// orDefault gives a setting its meaning: the default for zero, and zero, that
// is off, for anything negative.
func orDefault(d, whenZero time.Duration) time.Duration {
	if d == 0 {
		return whenZero
	}
	return max(d, 0)
}

package dialer

import (
	"context"
	"net"
	"net/netip"
)

// New returns a dialer that follows cfg and gives every address its try.
//
// A host name is looked up and its addresses are tried in the order of the
// look-up, the families taking turns. Tries start 250 ms apart, closer where
// the time would not suffice for all but never by less than 10 ms, and at once
// when those under way have all failed. The first to connect wins (RFC 8305). All
// of it, the look-up included, has to fit into Config.Timeout. An IP address, a Unix
// socket and the other networks of [net.Dial] take no detour: they are one plain dial.
//
// DialContext blocks until a connection is up, every try has failed, the
// timeout has passed or ctx has ended. It then waits for the tries it has
// cancelled, and for an OnSocket that still runs: neither a connection nor a
// goroutine of its own is left behind. (A look-up cut short may linger inside
// the resolver of the standard library, which gives it up after seconds.)
//
// When all tries fail the error names each address with its cause; every
// cause can be matched by errors.Is and errors.As. A failed look-up matches
// [*net.DNSError], a timeout [context.DeadlineExceeded], a cancelled ctx
// [context.Canceled].
//
// The dialer may be used by any number of goroutines at once.
func New(cfg Config) Dialer {
	return &eyeballs{cfg: cfg}
}

// eyeballs is the Happy Eyeballs dialer. Nothing in it changes after New. It
// makes a standard dialer, which is large, for each dial: there may be
// thousands of these that rarely dial.
type eyeballs struct {
	cfg Config
}

// standard is the dialer for one address at a time. Within slot calls of
// OnSocket don't overlap; nil is enough for a single address.
func (d *eyeballs) standard(s slot) net.Dialer {
	std := d.cfg.export()
	if d.cfg.OnSocket != nil {
		std.ControlContext = control(d.cfg.OnSocket, s)
	}
	return std
}

// DialContext implements [Dialer].
func (d *eyeballs) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, ok := splitName(network, address); ok {
		return d.dialName(ctx, network, address, host, port)
	}
	std := d.standard(nil)
	conn, err := std.DialContext(ctx, network, address)
	return conn, asTimeout(err)
}

// dialName looks a name up and tries its addresses, all inside one timeout.
func (d *eyeballs) dialName(ctx context.Context, network, address, host, port string) (net.Conn, error) {
	if timeout := orDefault(d.cfg.Timeout, defaultTimeout); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}

	targets, err := d.lookup(ctx, network, host, port)
	if err != nil {
		return nil, newDialError(ctx, network, address, []error{err})
	}

	var conn net.Conn
	var causes []error
	if len(targets) == 1 {
		std := d.standard(nil)
		conn, err = std.DialContext(ctx, network, targets[0].String())
		causes = []error{err}
	} else {
		conn, causes = d.race(ctx, network, targets)
	}
	if conn == nil {
		return nil, newDialError(ctx, network, address, causes)
	}
	return conn, nil
}

// splitName tells whether there is a name to look up. What it can't make
// sense of is left to the standard dialer to report.
func splitName(network, address string) (host, port string, ok bool) {
	if network != "tcp" && network != "tcp4" && network != "tcp6" {
		return "", "", false
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return "", "", false
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return "", "", false
	}
	return host, port, true
}

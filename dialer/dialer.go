package dialer

import (
	"context"
	"net"

	"darvaza.org/core"
)

// A Dialer opens connections. [net.Dialer] satisfies it, as does anything
// else with that method: a tunnel, a proxy, an in-memory network.
//
// DialContext blocks until the connection is up, the attempt has failed or
// ctx has ended; after it has returned, ctx no longer concerns the
// connection. It returns either a connection or an error. A Dialer may be
// used by several goroutines at once.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Func makes a [Dialer] of a function. The function has to keep the contract
// of the interface, safety for concurrent use included.
type Func func(ctx context.Context, network, address string) (net.Conn, error)

// DialContext calls f and returns what it returns. A nil Func dials nothing
// and answers with an error that matches [core.ErrInvalid].
func (f Func) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if f == nil {
		return nil, core.QuietWrap(core.ErrInvalid, "dialer: dial %s %s: the Func is nil", network, address)
	}
	return f(ctx, network, address)
}

package lifecycle

import (
	"context"
	"fmt"
	"net"
)

type connKey struct{}

// ConnKey gives the key under which a context holds the connection of the
// session: ctx.Value(ConnKey()) is a net.Conn, or nil. It is there for contexts of
// one's own that answer [ConnFrom]; for all else there is [WithConn].
func ConnKey() any {
	return connKey{}
}

// ConnFrom gives the connection that ctx carries, as the context of a session
// does, and nil where there is none. It never blocks. Whoever put the connection
// there owns it, and closes it.
func ConnFrom(ctx context.Context) net.Conn {
	if ctx == nil {
		return nil
	}
	conn, _ := ctx.Value(connKey{}).(net.Conn)
	return conn
}

// WithConn derives a context that carries conn, for [ConnFrom] to find. A nil
// conn hides the one that the parent carries. A nil parent stands for
// [context.Background].
func WithConn(parent context.Context, conn net.Conn) context.Context {
	if parent == nil {
		parent = context.Background()
	}
	return &connContext{Context: parent, conn: conn}
}

// connContext is a context.WithValue that needs no second allocation.
type connContext struct {
	context.Context
	conn net.Conn
}

func (c *connContext) Value(key any) any {
	if key == (connKey{}) {
		return c.conn
	}
	return c.Context.Value(key)
}

// String keeps fmt away from the fields: printing a context must not read a
// connection that others are using.
func (c *connContext) String() string {
	if s, ok := c.Context.(fmt.Stringer); ok {
		return s.String() + ".WithConn"
	}
	return "context.WithConn"
}

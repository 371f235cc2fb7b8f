package reconnect_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/slog"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// faultyConn panics in the methods that it is told to.
type faultyConn struct {
	net.Conn
	in string
}

func (c *faultyConn) at(name string) {
	if c.in == name {
		panic("boom " + name)
	}
}

func (c *faultyConn) Close() error {
	_ = c.Conn.Close()
	c.at("Close")
	return nil
}

func (c *faultyConn) SetReadDeadline(t time.Time) error {
	c.at("SetReadDeadline")
	return c.Conn.SetReadDeadline(t)
}

func (c *faultyConn) SetWriteDeadline(t time.Time) error {
	c.at("SetWriteDeadline")
	return c.Conn.SetWriteDeadline(t)
}

func TestConnectionWhoseMethodsPanicEndsTheClientAndNotTheProcess(t *testing.T) {
	for _, in := range []string{"Close", "SetReadDeadline", "SetWriteDeadline"} {
		for _, late := range []bool{false, true} { // in OnConnect already, or at the end
			bubble(t, in, func(t *testing.T) {
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return &faultyConn{conn, in} })
				if !late {
					cfg.OnConnect = func(context.Context, net.Conn) error { return io.EOF }
				}
				cfg.OnSession = func(context.Context) error { return io.EOF }
				cfg.OnDisconnect = func(context.Context, net.Conn) error { return nil }
				c := newClient(t, cfg)
				_ = c.Connect()
				requirePanicError(t, waitDone(t, c), "boom "+in)
				assert.Equal(t, reconnect.Stopped, c.State())
				assert.Zero(t, p.Open())
			})
		}
	}
}

// exitingConn ends the goroutine that calls one of its methods.
type exitingConn struct {
	net.Conn
	in string
}

func (c *exitingConn) exit(in string) {
	if in == c.in {
		runtime.Goexit()
	}
}

func (c *exitingConn) Close() error {
	_ = c.Conn.Close()
	c.exit("Close")
	return nil
}

func (c *exitingConn) SetReadDeadline(at time.Time) error {
	c.exit("SetReadDeadline")
	return c.Conn.SetReadDeadline(at)
}

func (c *exitingConn) SetWriteDeadline(at time.Time) error {
	c.exit("SetWriteDeadline")
	return c.Conn.SetWriteDeadline(at)
}

func TestGoexitInAMethodOfTheConnectionEndsTheClientWithAnError(t *testing.T) {
	for _, in := range []string{"Close", "SetReadDeadline", "SetWriteDeadline"} {
		t.Run(in, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn { return &exitingConn{conn, in} })
				cfg.OnConnect = func(context.Context, net.Conn) error { return nil }
				cfg.OnSession = func(context.Context) error { return io.EOF }
				c := newClient(t, cfg)
				_ = c.Connect()
				require.ErrorContains(t, waitDone(t, c), "Goexit")
				assert.Equal(t, reconnect.Stopped, c.State())
				assert.Zero(t, p.Open())
			})
		})
	}
}

// faultyLogger panics when a line of some level is printed.
type faultyLogger struct {
	slog.Logger
	level slog.LogLevel
	at    slog.LogLevel
}

func (l *faultyLogger) WithLevel(level slog.LogLevel) slog.Logger {
	return &faultyLogger{l.Logger.WithLevel(level), level, l.at}
}

func (l *faultyLogger) Debug() slog.Logger { return l.WithLevel(slog.Debug) }
func (l *faultyLogger) Info() slog.Logger  { return l.WithLevel(slog.Info) }
func (l *faultyLogger) Warn() slog.Logger  { return l.WithLevel(slog.Warn) }
func (l *faultyLogger) Error() slog.Logger { return l.WithLevel(slog.Error) }

func (l *faultyLogger) WithField(label string, value any) slog.Logger {
	return &faultyLogger{l.Logger.WithField(label, value), l.level, l.at}
}

func (l *faultyLogger) WithEnabled() (slog.Logger, bool) { return l, true }
func (l *faultyLogger) Enabled() bool                    { return true }

func (l *faultyLogger) Print(...any) {
	if l.level == l.at {
		panic("boom")
	}
}

func TestLoggerThatPanicsEndsTheClientAndNotTheProcess(t *testing.T) {
	for _, level := range []slog.LogLevel{slog.Error, slog.Warn, slog.Info, slog.Debug} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipe(t, nil)
			p.Refuse(io.EOF)
			cfg := pipeConfig(p)
			cfg.Logger = &faultyLogger{testutil.NewLogger(slog.Debug), slog.UndefinedLevel, level}
			cfg.OnSession = func(context.Context) error { return errors.New("odd") }
			cfg.WaitReconnect = func(context.Context) error { p.Refuse(nil); return nil }
			c := newClient(t, cfg)
			_ = c.Connect()
			require.Error(t, waitDone(t, c))
			assert.Equal(t, reconnect.Stopped, c.State())
			assert.Zero(t, p.Open())
		})
	}
}

func TestErrorsThatCantBeComparedDoNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, in := range []string{"Dialer", "OnConnect", "OnSession", "OnDisconnect", "worker", "WaitReconnect", "Cancel"} {
			broken := listError{"a", in}
			p := newPipe(t, nil)
			var c *reconnect.Client
			at := func(name string) error {
				if name == in {
					return broken
				}
				return nil
			}
			cfg := answering(p, at)
			if in == "Cancel" {
				cfg.OnSession = func(context.Context) error {
					c.Cancel(broken)
					return broken
				}
			}
			c = newClient(t, cfg)
			c.Go(func(context.Context) error { return at("worker") })
			_ = c.Connect()
			err := waitDone(t, c)
			var got listError
			require.ErrorAs(t, err, &got, in)
			require.Equal(t, broken, got)
			assert.Equal(t, reconnect.Stopped, c.State(), in)
			require.ErrorAs(t, c.Status().LastError, &got)
			require.Error(t, c.WaitConnected(context.Background()))
		}
	})
}

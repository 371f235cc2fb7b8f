package reconnect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/lifecycle"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// causesError may have causes, and has none.
type causesError struct{ causes []error }

func (*causesError) Error() string     { return "bad frame" }
func (e *causesError) Unwrap() []error { return e.causes }

// What is final ends the client also where the error says, beside that, no more
// than that the connection was taken away.
func TestExplicitStopOrPanicCountsWhateverEndedTheSession(t *testing.T) {
	broken := errors.New("bad frame")
	drops := map[string]func(*reconnect.Client, *testutil.PipeListener){
		"Reconnect": func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Reconnect() },
		"Close":     func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Close() },
		"EOF":       func(_ *reconnect.Client, p *testutil.PipeListener) { p.HangUp() },
	}
	for how, answer := range map[string]func(ctx context.Context, read error) error{
		"stop and cancelled": func(ctx context.Context, _ error) error {
			return fmt.Errorf("%w: %w", reconnect.ErrDoNotReconnect, ctx.Err())
		},
		"stop and closed":                          func(_ context.Context, read error) error { return errors.Join(read, reconnect.ErrDoNotReconnect) },
		"own error and closed":                     func(_ context.Context, read error) error { return errors.Join(read, broken) },
		"own error and cancelled":                  func(ctx context.Context, _ error) error { return errors.Join(broken, ctx.Err()) },
		"own error, cancelled":                     func(ctx context.Context, _ error) error { return fmt.Errorf("%w: %w", broken, ctx.Err()) },
		"own error without a cause":                func(context.Context, error) error { return &causesError{} },
		"own error without a cause, and cancelled": func(ctx context.Context, _ error) error { return errors.Join(ctx.Err(), &causesError{}) },
		"panic of cancelled":                       func(ctx context.Context, _ error) error { panic(ctx.Err()) },
		"panic of the cause":                       func(ctx context.Context, _ error) error { panic(context.Cause(ctx)) },
		"panic of closed":                          func(_ context.Context, read error) error { panic(read) },
	} {
		for name, drop := range drops {
			bubble(t, how+" "+name, func(t *testing.T) {
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				cfg.ReadTimeout = -1
				var c *reconnect.Client
				cfg.OnSession = func(ctx context.Context) error {
					_, err := c.Read(make([]byte, 1))
					<-ctx.Done()
					return answer(ctx, err)
				}
				c = newClient(t, cfg)
				require.NoError(t, c.Connect())
				synctest.Wait()
				drop(c, p)
				require.Error(t, waitDone(t, c))
				require.Error(t, c.Status().LastError)
				require.Equal(t, 1, p.Dials())
			})
		}
	}
}

func TestExplicitStopOrPanicOfOnConnectCountsAfterReconnect(t *testing.T) {
	for how, answer := range map[string]func(context.Context) error{
		"stop": func(ctx context.Context) error {
			return fmt.Errorf("%w: %w", reconnect.ErrDoNotReconnect, ctx.Err())
		},
		"panic": func(ctx context.Context) error { panic(ctx.Err()) },
	} {
		bubble(t, how, func(t *testing.T) {
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			cfg.OnConnect = func(ctx context.Context, _ net.Conn) error {
				<-ctx.Done()
				return answer(ctx)
			}
			c := newClient(t, cfg)
			connected := connecting(c)
			synctest.Wait()
			require.NoError(t, c.Reconnect())
			require.Error(t, receive(t, connected))
			require.Error(t, waitDone(t, c))
			require.Equal(t, 1, p.Dials())
		})
	}
}

// byAddress dials by the address, and goes to the pipe where it knows nothing else.
func byAddress(p *testutil.PipeListener, dials map[string]func(context.Context) error) dialer.Func {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if dial := dials[address]; dial != nil {
			return nil, dial(ctx)
		}
		return p.DialContext(ctx, network, address)
	}
}

func TestExplicitStopOrPanicOfADialEndsTheRound(t *testing.T) {
	banned := fmt.Errorf("banned: %w", reconnect.ErrDoNotReconnect)
	for how, dial := range map[string]func(context.Context) error{
		"stop":  func(context.Context) error { return banned },
		"panic": func(context.Context) error { panic("dial") },
	} {
		bubble(t, how, func(t *testing.T) {
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			cfg.Remote, cfg.Alternates = "a.test:1", []string{"b.test:1"}
			cfg.Dialer = byAddress(p, map[string]func(context.Context) error{"a.test:1": dial})
			c := newClient(t, cfg)
			err := c.Connect()
			require.True(t, lifecycle.IsFinal(err), "%v", err)
			require.Equal(t, err, waitDone(t, c))
			require.Zero(t, p.Dials())
		})
	}
}

func TestExplicitStopOrPanicOfADialCountsAfterReconnect(t *testing.T) {
	for how, answer := range map[string]func() error{
		"stop":  func() error { return reconnect.ErrDoNotReconnect },
		"panic": func() error { panic("dial") },
	} {
		bubble(t, how, func(t *testing.T) {
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			cfg.DialTimeout = -1
			dials := 0
			cfg.Dialer = byAddress(p, map[string]func(context.Context) error{cfg.Remote: func(ctx context.Context) error {
				dials++
				<-ctx.Done()
				return answer()
			}})
			c := newClient(t, cfg)
			connected := connecting(c)
			synctest.Wait()
			require.NoError(t, c.Reconnect())
			assert.Error(t, receive(t, connected))
			_ = waitDone(t, c)
			require.Equal(t, 1, dials)
		})
	}
}

func TestExplicitStopOrPanicOfAWaiterCountsAfterReconnect(t *testing.T) {
	for how, answer := range map[string]func(context.Context) error{
		"stop": func(ctx context.Context) error {
			return fmt.Errorf("%w: %w", reconnect.ErrDoNotReconnect, ctx.Err())
		},
		"panic": func(context.Context) error { panic("wait") },
	} {
		bubble(t, how, func(t *testing.T) {
			p := newPipe(t, nil)
			p.Refuse(io.ErrUnexpectedEOF)
			cfg := pipeConfig(p)
			cfg.WaitReconnect = func(ctx context.Context) error { <-ctx.Done(); return answer(ctx) }
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			synctest.Wait()
			require.NoError(t, c.Reconnect())
			require.True(t, lifecycle.IsFinal(waitDone(t, c)))
			require.Equal(t, 1, p.Dials())
		})
	}
}

// lateContext is a context that tells its own listeners of its end before those
// of the contexts that derive from it.
type lateContext struct {
	context.Context
	done chan struct{}

	mu  sync.Mutex
	err error
}

func newLateContext() *lateContext {
	return &lateContext{Context: context.Background(), done: make(chan struct{})}
}

func (c *lateContext) Done() <-chan struct{} { return c.done }

func (c *lateContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *lateContext) cancel() {
	c.mu.Lock()
	c.err = context.Canceled
	c.mu.Unlock()
	close(c.done)
}

func TestWhoWatchesTheBaseContextDoesNotMakeItsEndAnError(t *testing.T) {
	for name, edit := range map[string]func(*reconnect.Config, func() error){
		"OnSession": func(cfg *reconnect.Config, watch func() error) {
			cfg.OnSession = func(context.Context) error { return watch() }
		},
		"WaitReconnect": func(cfg *reconnect.Config, watch func() error) {
			cfg.OnSession = func(context.Context) error { return io.EOF }
			cfg.WaitReconnect = func(context.Context) error { return watch() }
		},
		"worker": func(*reconnect.Config, func() error) {},
	} {
		for range 50 {
			bubble(t, name, func(t *testing.T) {
				ctx := newLateContext()
				watch := func() error { <-ctx.Done(); return ctx.Err() }
				cfg := pipeConfig(newPipe(t, nil))
				cfg.Context = ctx
				edit(cfg, watch)
				c := newClient(t, cfg)
				require.NoError(t, c.Connect())
				if name == "worker" {
					c.Go(func(context.Context) error { return watch() })
				}
				synctest.Wait()
				ctx.cancel()
				require.NoError(t, waitDone(t, c))
			})
		}
	}
}

func TestContextOfASessionIsPrintedWithoutItsFields(t *testing.T) {
	s := testutil.NewEchoServer(t, "tcp")
	cfg := &reconnect.Config{Remote: s.Remote()}
	check := func(ctx context.Context) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			assert.Equal(t, "reconnect.session", fmt.Sprintf(verb, ctx))
		}
	}
	cfg.OnConnect = func(ctx context.Context, _ net.Conn) error { check(ctx); return nil }
	cfg.OnSession = func(ctx context.Context) error { check(ctx); return reconnect.ErrDoNotReconnect }
	c := newClient(t, cfg)
	require.NoError(t, c.Connect())
	require.NoError(t, waitDone(t, c))
}

func TestStopThatComesWhileOnErrorRunsIsWhatConnectTells(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			p := newPipe(t, nil)
			p.Refuse(io.EOF)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			cfg := pipeConfig(p)
			cfg.Context = ctx
			cfg.OnError = func(context.Context, net.Conn, error) error {
				cancel()
				return ctx.Err()
			}
			c := newClient(t, cfg)
			require.ErrorIs(t, c.Connect(), reconnect.ErrClosed)
			require.NoError(t, waitDone(t, c))
		})
	}
}

func TestWaitConnectedWaitsForTheNextConnectionOnceTheSessionIsToEnd(t *testing.T) {
	for name, drop := range map[string]func(*reconnect.Client) error{
		"Close": (*reconnect.Client).Close, "Reconnect": (*reconnect.Client).Reconnect,
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			cfg.OnSession = func(ctx context.Context) error {
				<-ctx.Done()
				pass(t, time.Second)
				return ctx.Err()
			}
			cfg.OnDisconnect = func(context.Context, net.Conn) error { pass(t, time.Second); return nil }
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			require.NoError(t, c.WaitConnected(guarded(t)))
			require.NoError(t, drop(c))
			require.NoError(t, c.WaitConnected(guarded(t)))
			require.EqualValues(t, 2, c.Status().Sessions)
		})
	}
}

func TestStopRightAfterADialOverTLSDoesNotWaitForThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, pool := muteTLSPipe(t)
		cfg := pipeConfig(p)
		inner := dialer.WithTLS(p, &tls.Config{RootCAs: pool}, -1)
		var c *reconnect.Client
		cfg.Dialer = dialer.Func(func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := inner.DialContext(ctx, network, address)
			c.Cancel(nil)
			return conn, err
		})
		c = newClient(t, cfg)
		begin := time.Now()
		require.ErrorIs(t, c.Connect(), reconnect.ErrClosed)
		require.NoError(t, waitDone(t, c))
		require.Zero(t, time.Since(begin))
	})
}

// closePanics is a connection whose Read panics, if told to, and whose Close does.
type closePanics struct {
	net.Conn
	read bool
}

func (c closePanics) Read(p []byte) (int, error) {
	if c.read {
		panic("read")
	}
	return c.Conn.Read(p)
}

func (c closePanics) Close() error {
	_ = c.Conn.Close()
	panic("close")
}

func TestCloseThatPanicsUnderTLSTakesNothingDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, pool := muteTLSPipe(t)
		cfg := pipeConfig(p)
		cfg.Dialer = wrapped(p, func(c net.Conn) net.Conn { return closePanics{Conn: c} })
		cfg.TLSConfig = &tls.Config{RootCAs: pool}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		c.Cancel(nil)
		_ = waitDone(t, c)
	})
}

func TestCloseThatPanicsLetsReadsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.ReadTimeout = time.Minute
		cfg.Dialer = wrapped(p, func(c net.Conn) net.Conn { return closePanics{Conn: c, read: true} })
		cfg.OnError = func(context.Context, net.Conn, error) error { return nil }
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		for range 2 {
			c.Go(func(context.Context) error {
				_, err := c.Read(make([]byte, 1)) // the first keeps its turn
				return err
			})
		}
		synctest.Wait()
		require.NoError(t, c.SetReadDeadline(0))
		c.Cancel(nil)
		_ = waitDone(t, c)
	})
}

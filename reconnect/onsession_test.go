package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// sessionEnd connects a client with a session that waits for its context, does
// something, and gives the cause that the context ended with.
func sessionEnd(t *testing.T, p *testutil.PipeListener, edit func(*reconnect.Config), do func(*reconnect.Client)) error {
	causes := make(chan error, 100)
	sessions := make(chan struct{}, 100)
	cfg := pipeConfig(p)
	cfg.OnSession = func(ctx context.Context) error {
		sessions <- struct{}{}
		<-ctx.Done()
		assert.ErrorIs(t, ctx.Err(), context.Canceled)
		causes <- context.Cause(ctx)
		return ctx.Err()
	}
	if edit != nil {
		edit(cfg)
	}
	c := newClient(t, cfg)
	require.NoError(t, c.Connect())
	receive(t, sessions)
	do(c)
	return receive(t, causes)
}

func TestSessionContextCarriesTheConnectionAndTheClientsValues(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		base, cancel := context.WithDeadline(context.WithValue(context.Background(), key{}, "v"), time.Now().Add(time.Hour))
		defer cancel()
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.Context = base
		check := func(ctx context.Context) {
			assert.Equal(t, "v", ctx.Value(key{}))
			if assert.Len(t, p.Conns(), 1) {
				assert.Same(t, p.Conns()[0], reconnect.ConnFrom(ctx))
			}
		}
		cfg.OnConnect = func(ctx context.Context, _ net.Conn) error { check(ctx); return nil }
		cfg.OnSession = func(ctx context.Context) error {
			check(ctx)
			deadline, ok := ctx.Deadline()
			want, _ := base.Deadline()
			assert.True(t, ok)
			assert.Equal(t, want, deadline)
			child, stop := context.WithCancel(ctx)
			defer stop()
			check(child)
			return reconnect.ErrDoNotReconnect
		}
		cfg.OnDisconnect = func(ctx context.Context, _ net.Conn) error { check(ctx); return nil }
		c := newClient(t, cfg)
		_ = c.Connect()
		require.NoError(t, waitDone(t, c))
	})
}

func TestContextOfACallbackSaysThatTheDeadlineOfConfigContextHasPassed(t *testing.T) {
	for name, use := range map[string]func(*reconnect.Config, func(context.Context) error){
		"OnConnect": func(cfg *reconnect.Config, look func(context.Context) error) {
			cfg.OnConnect = func(ctx context.Context, _ net.Conn) error { return look(ctx) }
		},
		"OnSession": func(cfg *reconnect.Config, look func(context.Context) error) { cfg.OnSession = look },
		"WaitReconnect": func(cfg *reconnect.Config, look func(context.Context) error) {
			cfg.OnSession = func(context.Context) error { return nil }
			cfg.WaitReconnect = look
		},
	} {
		bubble(t, name, func(t *testing.T) {
			base, cancel := context.WithTimeout(context.Background(), bound)
			defer cancel()
			looked := make(chan struct{})
			cfg := pipeConfig(newPipe(t, nil))
			cfg.Context = base
			cfg.ReadTimeout, cfg.WriteTimeout = -1, -1
			use(cfg, func(ctx context.Context) error {
				defer close(looked)
				child, stop := context.WithTimeout(ctx, time.Hour) // relies on the sooner deadline of ctx
				defer stop()
				<-child.Done()
				assert.Equal(t, context.DeadlineExceeded, ctx.Err())
				assert.Equal(t, context.DeadlineExceeded, child.Err())
				assert.Equal(t, context.DeadlineExceeded, context.Cause(child))
				return ctx.Err()
			})
			c := newClient(t, cfg)
			go func() { _ = c.Connect() }()
			assert.Equal(t, context.DeadlineExceeded, waitDone(t, c))
			<-looked
		})
	}
}

// foreign is a context that isn't of package context, and tells nobody of its end
// before it is asked to.
type foreign struct {
	context.Context
	after []func()
}

func (f *foreign) Value(any) any { return nil }

func (f *foreign) AfterFunc(fn func()) (stop func() bool) {
	f.after = append(f.after, fn)
	return func() bool { return false }
}

func TestContextSaysThatTheDeadlineHasPassedAlsoWhereTheSessionKnewFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), bound)
		defer cancel()
		base := &foreign{Context: ctx}
		cfg := pipeConfig(newPipe(t, nil))
		cfg.Context = base
		cfg.OnSession = func(context.Context) error {
			<-base.Done()
			return base.Err()
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		time.Sleep(bound)
		synctest.Wait()
		for _, tell := range base.after {
			tell()
		}
		assert.Equal(t, context.DeadlineExceeded, waitDone(t, c))
		assert.Equal(t, context.DeadlineExceeded, c.Context().Err())
	})
}

func TestSessionContextEndsWithACauseThatSaysWhy(t *testing.T) {
	broken := errors.New("broken")
	base, cancelBase := context.WithCancelCause(context.Background())
	read := func(c *reconnect.Client) { _, _ = c.Read(make([]byte, 1)) }

	for name, tc := range map[string]struct {
		edit  func(*reconnect.Config)
		do    func(*reconnect.Client, *testutil.PipeListener)
		cause error
	}{
		"Shutdown": {nil, func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Shutdown(context.Background()) }, context.Canceled},
		"Cancel":   {nil, func(c *reconnect.Client, _ *testutil.PipeListener) { c.Cancel(broken) }, broken},
		"context": {func(cfg *reconnect.Config) { cfg.Context = base },
			func(*reconnect.Client, *testutil.PipeListener) { cancelBase(broken) }, broken},
		"worker": {nil, func(c *reconnect.Client, _ *testutil.PipeListener) {
			c.Go(func(context.Context) error { return broken })
		}, broken},
		"Close":     {nil, func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Close() }, reconnect.ErrClosed},
		"Reconnect": {nil, func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Reconnect() }, reconnect.ErrClosed},
		"Reload": {nil, func(c *reconnect.Client, _ *testutil.PipeListener) {
			c.Config().Remote = "other.test:1"
			assert.NoError(t, c.Reload())
		}, reconnect.ErrClosed},
		"Read": {nil, func(c *reconnect.Client, p *testutil.PipeListener) { p.HangUp(); read(c) }, io.EOF},
		"Write": {nil, func(c *reconnect.Client, p *testutil.PipeListener) {
			p.Conns()[0].FailWrite(broken)
			_, err := c.Write([]byte("x"))
			assert.ErrorIs(t, err, broken)
		}, broken},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPipe(t, nil)
			cause := sessionEnd(t, p, tc.edit, func(c *reconnect.Client) { tc.do(c, p) })
			require.ErrorIs(t, cause, tc.cause)
		})
	}
}

func TestSessionContextOutlivesATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		var timeouts int
		cause := sessionEnd(t, p, nil, func(c *reconnect.Client) {
			for range 5 {
				_, err := c.Read(make([]byte, 1))
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				_, err = c.Write(make([]byte, 1))
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				timeouts++
			}
			synctest.Wait()
			assert.Equal(t, 1, p.Open())
			assert.Equal(t, 1, p.Dials())
			p.HangUp()
			_, _ = c.Read(make([]byte, 1))
		})
		assert.Equal(t, 5, timeouts)
		require.ErrorIs(t, cause, io.EOF)
	})
}

func TestReloadOfATimeoutLeavesTheSessionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cause := sessionEnd(t, p, nil, func(c *reconnect.Client) {
			c.Config().ReadTimeout = time.Hour
			require.NoError(t, c.Reload())
			synctest.Wait()
			assert.Equal(t, 1, p.Dials())
			c.Cancel(nil)
		})
		require.ErrorIs(t, cause, context.Canceled)
	})
}

func TestSessionThatReturnsItsContextsErrorReconnects(t *testing.T) {
	for name, drop := range map[string]func(*reconnect.Client, *testutil.PipeListener){
		"Close":     func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Close() },
		"Reconnect": func(c *reconnect.Client, _ *testutil.PipeListener) { _ = c.Reconnect() },
		"EOF":       func(c *reconnect.Client, p *testutil.PipeListener) { p.HangUp(); _, _ = c.Read(make([]byte, 1)) },
	} {
		for how, answer := range map[string]func(context.Context) error{
			"ctx.Err":   func(ctx context.Context) error { return ctx.Err() },
			"cause":     context.Cause,
			"wrapped":   func(ctx context.Context) error { return fmt.Errorf("session: %w", ctx.Err()) },
			"of a kind": func(context.Context) error { return cancelledError{errors.New("session")} },
			"joined to others of the network": func(ctx context.Context) error {
				return errors.Join(ctx.Err(), nil, &mildError{errors.New("session")})
			},
			"closed":    func(context.Context) error { return net.ErrClosed },
			"nil":       func(context.Context) error { return nil },
			"Read's":    func(context.Context) error { return reconnect.ErrNotConnected },
			"time-out?": func(context.Context) error { return os.ErrDeadlineExceeded },
		} {
			bubble(t, name+" "+how, func(t *testing.T) {
				p := newPipe(t, nil)
				rec := testutil.NewRecorder()
				cfg := pipeConfig(p)
				cfg.OnSession = func(ctx context.Context) error {
					rec.Record("session")
					<-ctx.Done()
					return answer(ctx)
				}
				c := newClient(t, cfg)
				require.NoError(t, c.Connect())
				for n := 2; n < 5; n++ {
					synctest.Wait()
					drop(c, p)
					require.NoError(t, rec.WaitFor(guarded(t), "session", n))
				}
				require.NoError(t, c.Err())
				require.NoError(t, c.Shutdown(guarded(t)), "a stop is no error of the session")
			})
		}
	}
}

// mildError is an unknown error that says it is worth another try.
type mildError struct{ error }

func (e *mildError) Unwrap() error { return e.error }
func (*mildError) Temporary() bool { return true }

// cancelledError passes for the end of a context, whatever it wraps.
type cancelledError struct{ error }

func (e cancelledError) Unwrap() error      { return e.error }
func (cancelledError) Is(target error) bool { return target == context.Canceled }

func TestSessionsOwnErrorStopsTheClientWhateverDroppedTheConnection(t *testing.T) {
	broken := errors.New("state corrupted")
	for name, drop := range map[string]func(*reconnect.Client){
		"Close":     func(c *reconnect.Client) { _ = c.Close() },
		"Reconnect": func(c *reconnect.Client) { _ = c.Reconnect() },
	} {
		for callback, edit := range map[string]func(*reconnect.Config, func() error){
			"OnSession": func(cfg *reconnect.Config, do func() error) {
				cfg.OnSession = func(context.Context) error { return do() }
			},
			"OnDisconnect": func(cfg *reconnect.Config, do func() error) {
				cfg.OnSession = func(context.Context) error { return nil }
				cfg.OnDisconnect = func(context.Context, net.Conn) error { return do() }
			},
			"OnConnect": func(cfg *reconnect.Config, do func() error) {
				cfg.OnConnect = func(context.Context, net.Conn) error { return do() }
			},
		} {
			bubble(t, callback+" "+name, func(t *testing.T) {
				p := newPipe(t, nil)
				cfg := pipeConfig(p)
				var c *reconnect.Client
				edit(cfg, func() error {
					if p.Dials() > 10 {
						c.Cancel(errors.New("goes round and round"))
					}
					drop(c)
					return broken
				})
				c = newClient(t, cfg)
				_ = c.Connect()
				require.ErrorIs(t, waitDone(t, c), broken)
				assert.Equal(t, 1, p.Dials())
			})
		}
	}
}

// A session may leave the client's Read and Write alone and use the connection
// itself, whose deadlines are then its own.
func TestSessionThatUsesTheConnectionItselfMeetsNoTimeout(t *testing.T) {
	for name, onConnect := range map[string]func(context.Context, net.Conn) error{
		"alone":           nil,
		"after OnConnect": func(context.Context, net.Conn) error { return nil },
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, func(conn net.Conn) {
				time.Sleep(time.Hour)
				_, _ = conn.Write([]byte("x"))
				time.Sleep(time.Hour)
				_, _ = io.Copy(io.Discard, conn)
			})
			cfg := pipeConfig(p)
			cfg.ReadTimeout, cfg.WriteTimeout = time.Millisecond, time.Millisecond
			cfg.OnConnect = onConnect
			cfg.OnSession = func(ctx context.Context) error {
				conn := reconnect.ConnFrom(ctx)
				_, err := conn.Read(make([]byte, 1))
				assert.NoError(t, err)
				_, err = conn.Write([]byte("y"))
				assert.NoError(t, err)
				return reconnect.ErrDoNotReconnect
			}
			begin := time.Now()
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			require.NoError(t, c.Wait())
			assert.Equal(t, 2*time.Hour, time.Since(begin))
		})
	}
}

func TestWithoutOnSessionTheConnectionIsHeldOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, func(conn net.Conn) {
			buf := make([]byte, 100)
			for {
				n, err := conn.Read(buf)
				if err != nil {
					return
				}
				_, _ = conn.Write([]byte(strings.ToUpper(string(buf[:n]))))
			}
		})
		c := newClient(t, pipeConfig(p))
		require.NoError(t, c.Connect())
		time.Sleep(24 * time.Hour)
		assert.Equal(t, 1, p.Dials())
		assert.Equal(t, reconnect.Connected, c.State())

		_, err := c.Write([]byte("hello"))
		require.NoError(t, err)
		time.Sleep(time.Second) // nothing reads behind the user's back
		buf := make([]byte, 10)
		n, err := c.Read(buf)
		require.NoError(t, err)
		assert.Equal(t, "HELLO", string(buf[:n]))

		p.HangUp()
		_, err = c.Read(buf)
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, p.WaitDials(guarded(t), 2), "the failure of a worker's Read ends the session")
	})
}

package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// failIn gives a Config whose callback of that name returns err, each time.
func failIn(p *testutil.PipeListener, in string, err error) *reconnect.Config {
	at := func(name string) error {
		if name == in {
			return err
		}
		return nil
	}
	cfg := answering(p, at)
	cfg.Dialer = dialer.Func(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, dialErr := p.DialContext(ctx, network, address) // which counts
		if err := at("Dialer"); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return conn, dialErr
	})
	if in == "worker" {
		cfg.OnSession = untilDone
	}
	return cfg
}

// start connects, with a worker where the error is to come from one.
func start(c *reconnect.Client, in string, err error) {
	_ = c.Connect()
	if in == "worker" {
		c.Go(func(context.Context) error { return err })
	}
}

var failing = []string{"Dialer", "OnConnect", "OnSession", "OnDisconnect", "worker"}

func TestWithoutOnErrorAFatalErrorStopsAndAnotherIsRetried(t *testing.T) {
	for _, in := range failing {
		for name, tc := range map[string]struct {
			err   error
			fatal bool
		}{
			"EOF":            {io.EOF, false},
			"refused":        {syscall.ECONNREFUSED, false},
			"deadline":       {context.DeadlineExceeded, false},
			"no such host":   {&net.DNSError{Err: "no such host", IsNotFound: true}, false},
			"temporary":      {core.NewTemporaryError(errors.New("busy")), false},
			"not connected":  {reconnect.ErrNotConnected, false},
			"unknown":        {errors.New("odd"), true},
			"configuration":  {core.ErrInvalid, true},
			"joined":         {errors.Join(io.EOF, errors.New("odd")), true},
			"wrapped a stop": {fmt.Errorf("bye: %w", reconnect.ErrDoNotReconnect), true},
		} {
			t.Run(in+" "+name, func(t *testing.T) {
				require.Equal(t, tc.fatal, reconnect.IsFatal(tc.err))
				synctest.Test(t, func(t *testing.T) {
					p := newPipe(t, nil)
					cfg := failIn(p, in, tc.err)
					cfg.WaitReconnect = func(ctx context.Context) error {
						if p.Dials() == 3 {
							<-ctx.Done()
						}
						return nil
					}
					c := newClient(t, cfg)
					start(c, in, tc.err)
					if tc.fatal {
						require.ErrorIs(t, waitDone(t, c), tc.err)
						assert.Equal(t, 1, p.Dials())
						return
					}
					synctest.Wait()
					require.NoError(t, c.Err())
					if in == "worker" {
						assert.Equal(t, 1, p.Dials(), "a worker's error says nothing about the connection")
					} else {
						assert.Equal(t, 3, p.Dials())
					}
					require.NoError(t, c.Shutdown(guarded(t)))
				})
			})
		}
	}
}

func TestOnErrorDecidesInThePlaceOfIsFatal(t *testing.T) {
	for _, in := range failing {
		bubble(t, in, func(t *testing.T) {
			odd, enough := errors.New("odd"), errors.New("enough")
			p := newPipe(t, nil)
			cfg := failIn(p, in, odd)
			var told atomic.Int32
			cfg.OnError = func(ctx context.Context, conn net.Conn, err error) error {
				assert.ErrorIs(t, err, odd)
				assert.Equal(t, in == "Dialer", conn == nil)
				assert.NoError(t, ctx.Err())
				if told.Add(1) == 3 {
					return enough
				}
				return nil
			}
			c := newClient(t, cfg)
			start(c, in, odd)
			if in == "worker" {
				start(c, in, odd)
				start(c, in, odd)
			}
			require.Equal(t, enough, waitDone(t, c))
			assert.EqualValues(t, 3, told.Load())
		})
	}
}

func TestOnErrorMayTurnARecoverableErrorIntoTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := failIn(p, "OnSession", io.EOF)
		cfg.OnError = func(_ context.Context, _ net.Conn, err error) error { return err }
		c := newClient(t, cfg)
		_ = c.Connect()
		require.Equal(t, io.EOF, waitDone(t, c))
		assert.Equal(t, 1, p.Dials())
	})
}

func TestNilIsNoErrorAndNobodyIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := failIn(p, "none", nil)
		cfg.WaitReconnect = func(ctx context.Context) error {
			if p.Dials() == 5 {
				<-ctx.Done()
			}
			return nil
		}
		cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
			t.Errorf("told of %v", err)
			return nil
		}
		c := newClient(t, cfg)
		c.Go(func(context.Context) error { return nil })
		require.NoError(t, c.Connect())
		synctest.Wait()
		assert.Equal(t, 5, p.Dials())
		require.NoError(t, c.Shutdown(guarded(t)))
	})
}

func TestExplicitStopEndsTheClientWhateverOnErrorReturns(t *testing.T) {
	own := errors.New("own reason")
	wrapped := fmt.Errorf("limit reached: %w", reconnect.ErrDoNotReconnect)
	for _, in := range append(failing, "WaitReconnect") {
		for name, tc := range map[string]struct {
			err     error
			onError func(error) error // nil: none
			want    error
		}{
			"bare":                  {reconnect.ErrDoNotReconnect, nil, nil},
			"wrapped":               {wrapped, nil, wrapped},
			"bare, told nil":        {reconnect.ErrDoNotReconnect, func(error) error { return nil }, nil},
			"wrapped, told nil":     {wrapped, func(error) error { return nil }, wrapped},
			"wrapped, told another": {wrapped, func(error) error { return own }, own},
			"bare, told another":    {reconnect.ErrDoNotReconnect, func(error) error { return own }, own},
		} {
			bubble(t, in+" "+name, func(t *testing.T) {
				p := newPipe(t, nil)
				cfg := failIn(p, in, tc.err)
				var told atomic.Int32
				if tc.onError != nil {
					cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
						told.Add(1)
						assert.ErrorIs(t, err, tc.err)
						return tc.onError(err)
					}
				}
				c := newClient(t, cfg)
				start(c, in, tc.err)
				err := waitDone(t, c)
				if tc.want == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, tc.want)
				}
				assert.Equal(t, 1, p.Dials())
				if tc.onError != nil {
					assert.EqualValues(t, 1, told.Load())
				}
			})
		}
	}
}

func TestWaiterThatFailsAtOnceEndsTheClientAfterOneWord(t *testing.T) {
	broken := errors.New("no more")
	for name, wait := range map[string]reconnect.Waiter{
		"any error":   reconnect.NewImmediateErrorWaiter(broken),
		"recoverable": reconnect.NewImmediateErrorWaiter(fmt.Errorf("%w %w", broken, io.EOF)),
		"canceled":    reconnect.NewImmediateErrorWaiter(fmt.Errorf("%w %w", broken, context.Canceled)),
		"do not":      reconnect.NewDoNotReconnectWaiter(broken),
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
			cfg := pipeConfig(p)
			waits := 0
			cfg.WaitReconnect = func(ctx context.Context) error { waits++; return wait(ctx) }
			var told []error
			cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
				told = append(told, err)
				return nil
			}
			c := newClient(t, cfg)
			_ = c.Connect()
			require.ErrorIs(t, waitDone(t, c), broken)
			assert.Equal(t, 1, p.Dials())
			assert.Equal(t, 1, waits)
			if assert.Len(t, told, 2, "of the dial and of the waiter") {
				assert.ErrorIs(t, told[0], syscall.ECONNREFUSED)
				assert.ErrorIs(t, told[1], broken)
			}
		})
	}
}

func TestBareStopOfAWaiterIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewDoNotReconnectWaiter(nil)
		c := newClient(t, cfg)
		_ = c.Connect()
		require.NoError(t, waitDone(t, c))
		require.ErrorIs(t, c.Status().LastError, syscall.ECONNREFUSED)
	})
}

func TestSessionCancelledByNobodyEndsTheClientWithAnError(t *testing.T) {
	for _, err := range []error{context.Canceled, fmt.Errorf("request: %w", context.Canceled)} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipe(t, nil)
			c := newClient(t, failIn(p, "OnSession", err))
			_ = c.Connect()
			require.ErrorIs(t, waitDone(t, c), context.Canceled)
			assert.Equal(t, 1, p.Dials())
		})
	}
}

func TestErrorsOfTheStopItselfAreNotReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		broken := errors.New("cut short")
		cfg := pipeConfig(p)
		cfg.OnSession = func(ctx context.Context) error { <-ctx.Done(); return broken }
		cfg.OnDisconnect = func(context.Context, net.Conn) error { return reconnect.ErrDoNotReconnect }
		cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
			t.Errorf("told of %v", err)
			return err
		}
		c := newClient(t, cfg)
		c.Go(func(ctx context.Context) error { <-ctx.Done(); return broken })
		require.NoError(t, c.Connect())
		synctest.Wait()
		require.NoError(t, c.Shutdown(guarded(t)))
	})
}

func TestOnErrorThatStopsTheClientItselfIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		mine := errors.New("mine")
		var c *reconnect.Client
		cfg := failIn(p, "OnSession", io.EOF)
		cfg.OnError = func(context.Context, net.Conn, error) error { c.Cancel(mine); return nil }
		cfg.WaitReconnect = func(context.Context) error { t.Error("waits after the stop"); return nil }
		c = newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.Equal(t, mine, waitDone(t, c))
		assert.Equal(t, 1, p.Dials())
	})
}

func TestPanicInOnErrorOfAWorkerStopsTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pipeConfig(newPipe(t, nil))
		cfg.OnError = func(context.Context, net.Conn, error) error { panic("boom") }
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		c.Go(func(context.Context) error { return io.EOF })
		requirePanicError(t, waitDone(t, c), "boom")
	})
}

func TestErrorOfOnDisconnectIsJudgedAfterTheSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		first, second := errors.New("session"), errors.New("goodbye")
		var told []error
		cfg := pipeConfig(p)
		cfg.OnSession = func(context.Context) error { return first }
		cfg.OnDisconnect = func(context.Context, net.Conn) error { return second }
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Hour)
		cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
			told = append(told, err)
			return nil
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		synctest.Wait()
		assert.Equal(t, []error{first, second}, told)
	})
}

func TestErrorOfOnDisconnectDoesNotUndoAStopByTheSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := errors.New("session")
		cfg := pipeConfig(newPipe(t, nil))
		cfg.OnSession = func(context.Context) error { return own }
		cfg.OnDisconnect = func(context.Context, net.Conn) error { return io.EOF }
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Hour)
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.Equal(t, own, waitDone(t, c))
		assert.EqualValues(t, 1, c.Status().Sessions)
	})
}

func TestReasonOfACancelledContextSaysWhoseItIs(t *testing.T) {
	cancelled := func(context.Context) error { return context.Canceled }
	for name, tc := range map[string]struct {
		set  func(*testutil.PipeListener, *reconnect.Config)
		want string
	}{
		"session": {func(_ *testutil.PipeListener, cfg *reconnect.Config) {
			cfg.OnSession = cancelled
		}, "reconnect: session: context canceled"},
		"OnConnect": {func(_ *testutil.PipeListener, cfg *reconnect.Config) {
			cfg.OnConnect = func(context.Context, net.Conn) error { return context.Canceled }
		}, "reconnect: OnConnect: context canceled"},
		"OnDisconnect": {func(_ *testutil.PipeListener, cfg *reconnect.Config) {
			cfg.OnSession = func(context.Context) error { return nil }
			cfg.OnDisconnect = func(context.Context, net.Conn) error { return context.Canceled }
		}, "reconnect: OnDisconnect: context canceled"},
		"WaitReconnect": {func(p *testutil.PipeListener, cfg *reconnect.Config) {
			p.Refuse(io.EOF)
			cfg.WaitReconnect = cancelled
		}, "reconnect: WaitReconnect: context canceled"},
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			tc.set(p, cfg)
			c := newClient(t, cfg)
			_ = c.Connect()
			err := waitDone(t, c)
			require.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, tc.want, err.Error())
		})
	}
}

func TestAnErrorBesideWhatReconnectCausedCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := errors.New("own")
		cfg := pipeConfig(newPipe(t, nil))
		cfg.OnSession = func(ctx context.Context) error {
			<-ctx.Done()
			return errors.Join(os.ErrDeadlineExceeded, own)
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		synctest.Wait()
		require.NoError(t, c.Reconnect())
		assert.ErrorIs(t, waitDone(t, c), own)
	})
}

func TestATimeoutCountsThoughTheSessionThenClosedTheConnection(t *testing.T) {
	stream := func(ctx context.Context, c *reconnect.Client) *reconnect.StreamSession[string, string] {
		return &reconnect.StreamSession[string, string]{
			Conn: c, Context: ctx,
			Marshal:   func(m string) ([]byte, error) { return []byte(m + "\n"), nil },
			Unmarshal: func(b []byte) (string, error) { return string(b), nil },
		}
	}
	for name, onSession := range map[string]func(context.Context, *reconnect.Client) error{
		"told by Send": func(ctx context.Context, c *reconnect.Client) error {
			s := stream(ctx, c)
			if err := s.Spawn(); err != nil {
				return err
			}
			_ = s.Wait()
			return s.Send("more")
		},
		"deferred": func(_ context.Context, c *reconnect.Client) error {
			defer c.Close()
			_, err := c.Read(make([]byte, 1))
			return err
		},
		"stream": func(ctx context.Context, c *reconnect.Client) error {
			s := stream(ctx, c)
			if err := s.Spawn(); err != nil {
				return err
			}
			return s.Wait()
		},
	} {
		bubble(t, name, func(t *testing.T) {
			var c *reconnect.Client
			cfg := pipeConfig(newPipe(t, nil)) // it says nothing
			cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Minute)
			cfg.OnSession = func(ctx context.Context) error { return onSession(ctx, c) }
			var told []error
			cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
				told = append(told, err)
				return nil
			}
			c = newClient(t, cfg)
			require.NoError(t, c.Connect())
			time.Sleep(10 * time.Second)
			synctest.Wait()
			require.Equal(t, reconnect.Waiting, c.State())
			require.Len(t, told, 1)
			assert.ErrorIs(t, told[0], os.ErrDeadlineExceeded)
			assert.ErrorIs(t, c.Status().LastError, os.ErrDeadlineExceeded)
		})
	}
}

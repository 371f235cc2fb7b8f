package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/slog"

	"darvaza.org/x/net/dialer"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// levels gives the levels of the messages, in order.
func levels(entries []testutil.Entry) (all []string) {
	for _, e := range entries {
		all = append(all, map[slog.LogLevel]string{slog.Debug: "debug", slog.Info: "info",
			slog.Warn: "warn", slog.Error: "error"}[e.Level]+": "+e.Message)
	}
	return all
}

// above leaves the messages of debug level out.
func above(entries []testutil.Entry) (some []testutil.Entry) {
	for _, e := range entries {
		if e.Level != slog.Debug {
			some = append(some, e)
		}
	}
	return some
}

func TestConnectedDisconnectedAndStoppedAreLoggedAsInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := testutil.NewLogger(slog.Debug)
		p := newPipe(t, nil)
		c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.Logger = log })
		require.NoError(t, c.Close())
		synctest.Wait()
		require.NoError(t, c.Shutdown(context.Background()))
		assert.Equal(t, []string{"info: connected", "info: disconnected",
			"info: connected", "info: disconnected", "info: stopped"}, levels(above(log.Entries())))
		for _, e := range log.Entries() {
			assert.Equal(t, pipeRemote, e.Fields["addr"], e)
			assert.Equal(t, "tcp", e.Fields["network"], e)
			if e.Level != slog.Debug {
				assert.NotContains(t, e.Fields, "error", e)
			}
		}
		first, _ := log.Find(slog.Info, "connected")
		assert.Equal(t, 1, first.Fields["attempt"])
	})
}

func TestNilLoggerDiscards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
		cfg := pipeConfig(p)
		cfg.Logger = nil
		c := newClient(t, cfg)
		require.NotNil(t, cfg.Logger, "the default is there to be used by the owner of the Config")
		for level := slog.Error; level <= slog.Debug; level++ {
			assert.False(t, cfg.Logger.WithLevel(level).Enabled(), "level %d", level)
		}
		enabled := func() {
			for _, with := range []func(net.Addr) (slog.Logger, bool){
				c.WithDebug, c.WithInfo,
				func(addr net.Addr) (slog.Logger, bool) { return c.WithError(addr, io.EOF) },
			} {
				log, ok := with(c.RemoteAddr())
				assert.False(t, ok)
				assert.Nil(t, log)
			}
		}
		enabled()
		require.NoError(t, c.Connect())
		p.Refuse(nil)
		require.NoError(t, c.WaitConnected(guarded(t)))
		cfg.Logger = nil
		require.NoError(t, c.Reload())
		enabled()
		c.Cancel(io.EOF)
		require.Equal(t, io.EOF, waitDone(t, c))
		enabled()
	})
}

func TestEachFailedAttemptIsAWarningWithItsErrorAndNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := testutil.NewLogger(slog.Info)
		p := newPipe(t, nil)
		p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
		c := newClient(t, pipeConfig(p), func(cfg *reconnect.Config) error {
			cfg.Logger = log
			cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Second)
			return nil
		})
		require.NoError(t, c.Connect())
		time.Sleep(4500 * time.Millisecond)
		entries := log.Entries()
		require.Len(t, entries, 5)
		for i, e := range entries {
			assert.Equal(t, slog.Warn, e.Level)
			assert.Equal(t, i+1, e.Fields["attempt"])
			assert.Equal(t, pipeRemote, e.Fields["addr"])
			assert.Equal(t, "tcp", e.Fields["network"])
			err, ok := e.Fields["error"].(error)
			require.True(t, ok, "%v", e)
			var op *net.OpError
			assert.ErrorAs(t, err, &op)
			assert.NotContains(t, e.Message, "%", "a mistake of formatting")
		}
	})
}

func TestAGoodbyeThatFailsIsNoFailedAttemptAndIsLoggedAtDebugLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := testutil.NewLogger(slog.Debug)
		cfg := pipeConfig(newPipe(t, nil))
		cfg.Logger = log
		cfg.OnSession = func(context.Context) error { return nil }
		cfg.OnDisconnect = func(context.Context, net.Conn) error { return net.ErrClosed }
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Hour)
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		synctest.Wait()
		e, ok := log.Find(slog.UndefinedLevel, "OnDisconnect failed")
		require.True(t, ok, "%v", log.Entries())
		assert.Equal(t, slog.Debug, e.Level)
		assert.Equal(t, net.ErrClosed, e.Fields["error"])
		require.NoError(t, c.Shutdown(context.Background()))
	})
}

func TestErrorsThatTheStopCausedAreLoggedAtDebugLevel(t *testing.T) {
	own := errors.New("cut short")
	cut := func(ctx context.Context) error { <-ctx.Done(); return own }
	for name, edit := range map[string]func(*reconnect.Config){
		"attempt failed/dial": func(cfg *reconnect.Config) {
			cfg.Dialer = dialer.Func(func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, cut(ctx) })
		},
		"attempt failed/OnConnect": func(cfg *reconnect.Config) {
			cfg.OnConnect = func(ctx context.Context, _ net.Conn) error { return cut(ctx) }
		},
		"session cut short/": func(cfg *reconnect.Config) { cfg.OnSession = cut },
		"OnDisconnect failed/": func(cfg *reconnect.Config) {
			cfg.OnDisconnect = func(context.Context, net.Conn) error { return own }
		},
		"WaitReconnect failed/": func(cfg *reconnect.Config) {
			cfg.OnSession = func(context.Context) error { return nil }
			cfg.WaitReconnect = cut
		},
		"WaitReconnect failed/panic": func(cfg *reconnect.Config) {
			cfg.OnSession = func(context.Context) error { return nil }
			cfg.WaitReconnect = func(ctx context.Context) error { panic(cut(ctx)) }
		},
		"OnState failed/": func(cfg *reconnect.Config) {
			cfg.OnState = func(_, to reconnect.State) {
				if to == reconnect.Stopped {
					panic(own)
				}
			}
		},
	} {
		bubble(t, name, func(t *testing.T) {
			log := testutil.NewLogger(slog.Debug)
			cfg := pipeConfig(newPipe(t, nil))
			cfg.Logger = log
			edit(cfg)
			c := newClient(t, cfg)
			go func() { _ = c.Connect() }()
			synctest.Wait()
			require.NoError(t, c.Shutdown(context.Background()))
			message, _, _ := strings.Cut(name, "/")
			e, ok := log.Find(slog.Debug, message)
			require.True(t, ok, "%v", levels(log.Entries()))
			err, _ := e.Fields["error"].(error)
			assert.ErrorIs(t, err, own)
			for _, e := range above(log.Entries()) {
				assert.NotContains(t, e.Fields, "error", "%v", e)
			}
		})
	}
}

func TestStopDuringAWaitThatSaysNoMoreIsNotLoggedAsAFailure(t *testing.T) {
	for name, wait := range map[string]reconnect.Waiter{
		"error": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"cause": func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) },
	} {
		bubble(t, name, func(t *testing.T) {
			log := testutil.NewLogger(slog.Debug)
			cfg := pipeConfig(newPipe(t, nil))
			cfg.Logger = log
			cfg.OnSession = func(context.Context) error { return nil }
			cfg.WaitReconnect = wait
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			synctest.Wait()
			c.Cancel(io.EOF)
			require.Equal(t, io.EOF, waitDone(t, c))
			_, found := log.Find(slog.Debug, "WaitReconnect failed")
			assert.False(t, found, "%s", log)
		})
	}
}

func TestLoggerThatPanicsAtTheLastStateDoesNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pipeConfig(newPipe(t, nil))
		cfg.OnState = func(_, to reconnect.State) {
			if to == reconnect.Stopped {
				cfg.Logger.(*panicker).armed.Store(true)
				panic("OnState")
			}
		}
		cfg.Logger = &panicker{Logger: testutil.NewLogger(slog.Debug)}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.NoError(t, c.Shutdown(context.Background()))
		assert.Equal(t, reconnect.Stopped, c.State())
	})
}

// panicker is a logger that panics from some time on.
type panicker struct {
	slog.Logger
	armed atomic.Bool
}

func (l *panicker) WithLevel(level slog.LogLevel) slog.Logger {
	if l.armed.Load() {
		panic("logger")
	}
	return l.Logger.WithLevel(level)
}

func TestStopByAnErrorIsLoggedAsErrorOnce(t *testing.T) {
	fatal := errors.New("fatal")
	for name, edit := range map[string]func(*reconnect.Config){
		"by the first attempt": func(cfg *reconnect.Config) {
			cfg.OnConnect = func(context.Context, net.Conn) error { return fatal }
		},
		"by a session": func(cfg *reconnect.Config) { cfg.OnSession = func(context.Context) error { return fatal } },
		"by OnError": func(cfg *reconnect.Config) {
			cfg.OnSession = func(context.Context) error { return io.EOF }
			cfg.OnError = func(context.Context, net.Conn, error) error { return fatal }
		},
		"by the waiter": func(cfg *reconnect.Config) {
			cfg.OnSession = func(context.Context) error { return nil }
			cfg.WaitReconnect = reconnect.NewImmediateErrorWaiter(fatal)
		},
		"by OnDisconnect": func(cfg *reconnect.Config) {
			cfg.OnSession = func(context.Context) error { return nil }
			cfg.OnDisconnect = func(context.Context, net.Conn) error { return fatal }
		},
	} {
		bubble(t, name, func(t *testing.T) {
			log := testutil.NewLogger(slog.Debug)
			cfg := pipeConfig(newPipe(t, nil))
			cfg.Logger = log
			edit(cfg)
			c := newClient(t, cfg)
			_ = c.Connect()
			require.ErrorIs(t, waitDone(t, c), fatal)
			require.Equal(t, 1, log.Count(slog.Error), "%s", log)
			e, _ := log.Find(slog.Error, "stopped")
			err, ok := e.Fields["error"].(error)
			require.True(t, ok)
			assert.ErrorIs(t, err, fatal)
			require.ErrorIs(t, c.Shutdown(context.Background()), fatal)
			require.Equal(t, 1, log.Count(slog.Error), "%s", log)
		})
	}
}

func TestStopOfAClientThatNeverConnectedIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, cause := range []error{nil, errors.New("cause")} {
			log := testutil.NewLogger(slog.Debug)
			cfg := pipeConfig(newPipe(t, nil))
			cfg.Logger = log
			c := newClient(t, cfg)
			c.Cancel(cause)
			require.Equal(t, cause, waitDone(t, c))
			want := "info: stopped"
			if cause != nil {
				want = "error: stopped"
			}
			require.Equal(t, []string{want}, levels(log.Entries()))
		}
	})
}

func TestFailedAttemptThatOnErrorWasToldOfIsLoggedAtDebugOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := testutil.NewLogger(slog.Debug)
		p := newPipe(t, nil)
		p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
		cfg := pipeConfig(p)
		cfg.Logger = log
		told := 0
		cfg.OnError = func(context.Context, net.Conn, error) error { told++; return nil }
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Second)
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		time.Sleep(3500 * time.Millisecond)
		require.NoError(t, c.Shutdown(context.Background()))
		assert.Equal(t, 4, told)
		assert.Zero(t, log.Count(slog.Warn), "%s", log)
		failed := 0
		for _, e := range log.Entries() {
			if e.Level == slog.Debug && e.Fields["error"] != nil {
				failed++
			}
		}
		assert.Equal(t, 4, failed, "%s", log)
	})
}

func TestErrorsThatTheStopItselfCausedAreLoggedAtDebugAndNotReported(t *testing.T) {
	for name, edit := range map[string]func(*reconnect.Config, *testutil.PipeListener){
		"a cancelled dial": func(_ *reconnect.Config, p *testutil.PipeListener) { p.Hang(true) },
		"a read cut short": func(cfg *reconnect.Config, _ *testutil.PipeListener) {
			cfg.OnSession = func(ctx context.Context) error {
				_, err := reconnect.ConnFrom(ctx).Read(make([]byte, 1))
				return err
			}
		},
		"a failure in OnDisconnect": func(cfg *reconnect.Config, _ *testutil.PipeListener) {
			cfg.OnDisconnect = func(context.Context, net.Conn) error { return errors.New("too late") }
		},
		"a worker": func(cfg *reconnect.Config, _ *testutil.PipeListener) {},
	} {
		bubble(t, name, func(t *testing.T) {
			log := testutil.NewLogger(slog.Debug)
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			edit(cfg, p)
			cfg.Logger = log
			cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
				t.Errorf("told: %v", err)
				return err
			}
			c := newClient(t, cfg)
			c.Go(func(ctx context.Context) error {
				<-ctx.Done()
				return errors.New("cut short")
			})
			go func() { _ = c.Connect() }()
			synctest.Wait()
			require.NoError(t, c.Shutdown(context.Background()))
			assert.Zero(t, log.Count(slog.Warn)+log.Count(slog.Error), "%s", log)
			for _, e := range log.Entries() {
				if e.Level != slog.Debug {
					assert.NotContains(t, e.Fields, "error", "%s", log)
				}
			}
		})
	}
}

// strictLogger accuses whoever makes it work while its level is off.
type strictLogger struct {
	threshold, level slog.LogLevel
	accuse           func(string)
	printed          *atomic.Int32
}

func (l strictLogger) at(level slog.LogLevel) slog.Logger { l.level = level; return l }

func (l strictLogger) Enabled() bool                         { return l.level <= l.threshold }
func (l strictLogger) WithEnabled() (slog.Logger, bool)      { return l, l.Enabled() }
func (l strictLogger) Debug() slog.Logger                    { return l.at(slog.Debug) }
func (l strictLogger) Info() slog.Logger                     { return l.at(slog.Info) }
func (l strictLogger) Warn() slog.Logger                     { return l.at(slog.Warn) }
func (l strictLogger) Error() slog.Logger                    { return l.at(slog.Error) }
func (l strictLogger) Fatal() slog.Logger                    { return l.at(slog.Fatal) }
func (l strictLogger) Panic() slog.Logger                    { return l.at(slog.Panic) }
func (l strictLogger) WithLevel(v slog.LogLevel) slog.Logger { return l.at(v) }

func (l strictLogger) work(what string) strictLogger {
	if l.level == slog.UndefinedLevel || !l.Enabled() {
		l.accuse(fmt.Sprintf("%s at level %v", what, l.level))
	}
	return l
}

func (l strictLogger) Print(...any)          { l.work("Print").printed.Add(1) }
func (l strictLogger) Println(...any)        { l.work("Println").printed.Add(1) }
func (l strictLogger) Printf(string, ...any) { l.work("Printf").printed.Add(1) }

func (l strictLogger) WithStack(int) slog.Logger             { return l.work("WithStack") }
func (l strictLogger) WithField(string, any) slog.Logger     { return l.work("WithField") }
func (l strictLogger) WithFields(map[string]any) slog.Logger { return l.work("WithFields") }

// silentError accuses whoever asks for its text.
type silentError struct{ accuse func(string) }

func (e silentError) Error() string {
	e.accuse("Error of an error")
	return "text"
}
func (silentError) Temporary() bool { return true }

func TestNothingIsFormattedWhenTheLevelIsOff(t *testing.T) {
	for _, threshold := range []slog.LogLevel{slog.Fatal, slog.Error, slog.Warn, slog.Info, slog.Debug} {
		synctest.Test(t, func(t *testing.T) {
			accuse := func(what string) { t.Error(what) }
			log := strictLogger{threshold: threshold, accuse: accuse, printed: new(atomic.Int32)}
			p := newPipe(t, nil)
			n := 0
			c := connectPipe(t, p, func(cfg *reconnect.Config) {
				cfg.Logger = log
				cfg.OnConnect = func(context.Context, net.Conn) error {
					if n++; n%2 == 0 {
						return silentError{accuse}
					}
					return nil
				}
				cfg.OnDisconnect = func(context.Context, net.Conn) error { return silentError{accuse} }
				cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Second)
			})
			c.Go(func(context.Context) error { return silentError{accuse} })
			for range 5 {
				require.NoError(t, c.Close())
				time.Sleep(3 * time.Second)
			}
			p.Refuse(silentError{accuse})
			require.NoError(t, c.Reconnect())
			time.Sleep(5 * time.Second)
			_, ok := c.WithDebug(c.RemoteAddr())
			assert.Equal(t, threshold >= slog.Debug, ok)
			_, ok = c.WithInfo(nil)
			assert.Equal(t, threshold >= slog.Info, ok)
			logger, ok := c.WithError(nil, silentError{accuse})
			assert.Equal(t, threshold >= slog.Error, ok)
			assert.Equal(t, ok, logger != nil)
			require.NoError(t, c.Shutdown(context.Background()))
			assert.Equal(t, threshold >= slog.Warn, log.printed.Load() > 0)
		})
	}
}

func TestDerivedLoggersCarryAddressAndErrorOrAreNilWhenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := testutil.NewLogger(slog.Debug)
		c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) { cfg.Logger = log })
		log.Reset()
		alien := errors.New("alien")
		for _, get := range []func() (slog.Logger, bool){
			func() (slog.Logger, bool) { return c.WithDebug(c.RemoteAddr()) },
			func() (slog.Logger, bool) { return c.WithInfo(c.RemoteAddr()) },
			func() (slog.Logger, bool) { return c.WithError(c.RemoteAddr(), alien) },
			func() (slog.Logger, bool) { return c.WithInfo(nil) },
			func() (slog.Logger, bool) { return c.WithError(nil, nil) },
		} {
			l, ok := get()
			require.True(t, ok)
			l.Print("x")
		}
		e := log.Entries()
		require.Equal(t, []string{"debug: x", "info: x", "error: x", "info: x", "error: x"}, levels(e))
		for _, e := range e[:3] {
			assert.Equal(t, pipeRemote, e.Fields["addr"])
		}
		assert.Equal(t, alien, e[2].Fields["error"])
		assert.NotContains(t, e[3].Fields, "addr")
		assert.NotContains(t, e[4].Fields, "error")

		off := newClient(t, &reconnect.Config{Remote: pipeRemote}) // discards
		for _, get := range []func() (slog.Logger, bool){
			func() (slog.Logger, bool) { return off.WithDebug(c.RemoteAddr()) },
			func() (slog.Logger, bool) { return off.WithInfo(nil) },
			func() (slog.Logger, bool) { return off.WithError(nil, alien) },
		} {
			l, ok := get()
			assert.False(t, ok)
			assert.True(t, l == nil)
		}
	})
}

func TestLogNamesTheRemoteThatWasTriedAndItsNetwork(t *testing.T) {
	log := testutil.NewLogger(slog.Debug)
	s := testutil.NewEchoServer(t, "unix")
	c := newClient(t, &reconnect.Config{Remote: freeRemote(t), Alternates: []string{"unix:" + s.Remote()}, Logger: log})
	require.NoError(t, c.Connect())
	e, ok := log.Find(slog.Info, "connected")
	require.True(t, ok)
	assert.Equal(t, s.Remote(), e.Fields["addr"])
	assert.Equal(t, "unix", e.Fields["network"])
	assert.False(t, strings.Contains(log.String(), "%!"))
}

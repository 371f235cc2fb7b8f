package dialer_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/dialer"
)

var errOnSocket = errors.New("the socket is not to my taste")

// everyDialer runs a test with both dialers that a Config makes.
func everyDialer(t *testing.T, cfg dialer.Config, test func(*testing.T, dialer.Dialer)) {
	t.Run("New", func(t *testing.T) { test(t, dialer.New(cfg)) })
	t.Run("Export", func(t *testing.T) {
		d := cfg.Export()
		test(t, &d)
	})
}

// assertClosed fails if a socket that OnSocket saw is still open.
func assertClosed(t *testing.T, conn syscall.RawConn) {
	t.Helper()
	require.NotNil(t, conn)
	assert.ErrorIs(t, conn.Control(func(uintptr) {}), net.ErrClosed, "the socket has leaked")
}

func TestOnSocketSeesTheSocketBeforeItConnects(t *testing.T) {
	for _, ln := range []net.Listener{listenTCP(t), listenUnix(t)} {
		serve(t, ln, hold)

		var calls atomic.Int32
		cfg := dialer.Config{OnSocket: func(ctx context.Context, conn syscall.RawConn) error {
			calls.Add(1)
			assert.NoError(t, ctx.Err())
			return conn.Control(func(fd uintptr) { assert.NotZero(t, fd) })
		}}
		everyDialer(t, cfg, func(t *testing.T, d dialer.Dialer) {
			mustDial(t, d, ln.Addr().Network(), ln.Addr().String())
		})
		assert.EqualValues(t, 2, calls.Load())
	}
}

func TestOnSocketErrorFailsTheDial(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	var seen syscall.RawConn
	cfg := dialer.Config{OnSocket: func(_ context.Context, conn syscall.RawConn) error {
		seen = conn
		return errOnSocket
	}}
	everyDialer(t, cfg, func(t *testing.T, d dialer.Dialer) {
		_, err := d.DialContext(t.Context(), "tcp", ln.Addr().String())
		assert.ErrorIs(t, err, errOnSocket)
		assertClosed(t, seen)
	})
}

func TestOnSocketPanicIsAnErrorWithItsStack(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	original := core.NewPanicError(0, "made elsewhere")
	for _, payload := range []any{"a string", errOnSocket, 42, original} {
		var seen syscall.RawConn
		cfg := dialer.Config{OnSocket: func(_ context.Context, conn syscall.RawConn) error {
			seen = conn
			return panicWith(payload)
		}}
		everyDialer(t, cfg, func(t *testing.T, d dialer.Dialer) {
			_, err := d.DialContext(t.Context(), "tcp", ln.Addr().String())

			var panicErr *core.PanicError
			require.ErrorAs(t, err, &panicErr)
			assertClosed(t, seen)
			if payload == any(original) {
				assert.Same(t, original, panicErr)
				return
			}
			assert.Contains(t, stackOf(panicErr), "panicWith")
			if payload == any(errOnSocket) {
				assert.ErrorIs(t, err, errOnSocket)
			}
		})
	}
}

func TestOnSocketPanicWithANilPanicErrorIsAnErrorThatCanBePrinted(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	cfg := dialer.Config{OnSocket: func(context.Context, syscall.RawConn) error {
		return panicWith((*core.PanicError)(nil))
	}}
	everyDialer(t, cfg, func(t *testing.T, d dialer.Dialer) {
		_, err := d.DialContext(t.Context(), "tcp", ln.Addr().String())

		var panicErr *core.PanicError
		require.ErrorAs(t, err, &panicErr)
		require.NotNil(t, panicErr)
		assert.NotPanics(t, func() { assert.NotEmpty(t, err.Error()) })
		assert.Contains(t, stackOf(panicErr), "panicWith")
	})
}

func panicWith(payload any) error { panic(payload) }

// stackOf returns the names of the functions in a stack.
func stackOf(err *core.PanicError) string {
	var b strings.Builder
	for _, frame := range err.CallStack() {
		b.WriteString(frame.Name())
		b.WriteByte('\n')
	}
	return b.String()
}

func TestOnSocketGoexitIsAFailedAttempt(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	var seen syscall.RawConn
	cfg := dialer.Config{OnSocket: func(_ context.Context, conn syscall.RawConn) error {
		seen = conn
		runtime.Goexit()
		return nil
	}}
	everyDialer(t, cfg, func(t *testing.T, d dialer.Dialer) {
		_, err := d.DialContext(t.Context(), "tcp", ln.Addr().String())
		require.Error(t, err)
		assert.ErrorContains(t, err, "OnSocket")
		assert.ErrorContains(t, err, "Goexit")
		assert.True(t, isTemporary(err))
		assertClosed(t, seen)
	})
}

// isTemporary asks the errors that have an opinion.
func isTemporary(err error) bool {
	var temporary interface{ Temporary() bool }
	return errors.As(err, &temporary) && temporary.Temporary()
}

func TestDialWaitsForOnSocketAlsoWhenCancelled(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var left atomic.Bool
	cfg := dialer.Config{OnSocket: func(ctx context.Context, _ syscall.RawConn) error {
		cancel()
		<-ctx.Done()
		for range 100 {
			runtime.Gosched()
		}
		left.Store(true)
		return ctx.Err() // or Go 1.25 may connect all the same
	}}

	conn, err := dialer.New(cfg).DialContext(ctx, "tcp", ln.Addr().String())
	assert.True(t, left.Load(), "DialContext has abandoned OnSocket")
	assert.Nil(t, conn)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestOnSocketOfConcurrentDialsMayOverlap(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)
	dialTwice(t, dialer.New(dialer.Config{Timeout: -1, OnSocket: meet()}), ln.Addr().String())
}

// meet returns an OnSocket whose calls wait for one another, in pairs.
func meet() func(context.Context, syscall.RawConn) error {
	met := make(chan struct{})
	return func(ctx context.Context, _ syscall.RawConn) error {
		select {
		case met <- struct{}{}:
		case <-met:
		case <-ctx.Done():
		}
		return nil
	}
}

// dialTwice dials from two goroutines at once.
func dialTwice(t *testing.T, d dialer.Dialer, address string) {
	t.Helper()

	errs := make(chan error)
	for range 2 {
		go func() {
			conn, err := d.DialContext(t.Context(), "tcp", address)
			if err == nil {
				_ = conn.Close()
			}
			errs <- err
		}()
	}
	assert.NoError(t, <-errs)
	assert.NoError(t, <-errs)
}

func TestExportedOnSocketNeverOverlaps(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	var inside, overlaps, calls atomic.Int32
	cfg := dialer.Config{Timeout: -1, OnSocket: func(context.Context, syscall.RawConn) error {
		calls.Add(1)
		if inside.Add(1) > 1 {
			overlaps.Add(1)
		}
		for range 100 {
			runtime.Gosched()
		}
		inside.Add(-1)
		return nil
	}}
	d := cfg.Export()

	const dials = 8
	errs := make(chan error)
	for range dials {
		go func() {
			conn, err := d.DialContext(t.Context(), "tcp", ln.Addr().String())
			if err == nil {
				_ = conn.Close()
			}
			errs <- err
		}()
	}
	for range dials {
		assert.NoError(t, <-errs)
	}
	assert.EqualValues(t, dials, calls.Load())
	assert.Zero(t, overlaps.Load())
}

func TestExportedOnSocketWaitsNoLongerThanTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		cfg := dialer.Config{Timeout: -1, OnSocket: func(context.Context, syscall.RawConn) error {
			<-leave
			return errOnSocket
		}}
		d := cfg.Export()
		dial := func(ctx context.Context) <-chan error {
			done := make(chan error, 1)
			go func() {
				_, err := d.DialContext(ctx, "tcp", "127.0.0.1:1") // which is never connected to
				done <- err
			}()
			synctest.Wait()
			return done
		}
		first := dial(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		second := dial(ctx)
		assert.Empty(t, second)
		cancel()
		synctest.Wait()
		if assert.Len(t, second, 1, "the slot was taken all the time") {
			assert.ErrorIs(t, <-second, context.Canceled)
		}
		close(leave)
		assert.ErrorIs(t, <-first, errOnSocket)
	})
}

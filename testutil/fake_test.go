package testutil_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/testutil"
)

// fakeTB is a test that may fail without failing the one that looks at it.
type fakeTB struct {
	mu       sync.Mutex
	logs     []string
	errors   []string
	fatals   []string
	skips    []string
	cleanups []func()
	complete bool // a call of Logf or Errorf is a mistake from here on
	late     int
}

func (f *fakeTB) Helper()      {}
func (f *fakeTB) Name() string { return "TestFake" }

func (f *fakeTB) Logf(format string, args ...any) { f.note(&f.logs, format, args) }

func (f *fakeTB) Errorf(format string, args ...any) { f.note(&f.errors, format, args) }

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.note(&f.fatals, format, args)
	runtime.Goexit()
}

func (f *fakeTB) FailNow() { f.Fatalf("FailNow") }

func (f *fakeTB) note(list *[]string, format string, args []any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.complete {
		f.late++
	}
	*list = append(*list, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Cleanup(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cleanups = append(f.cleanups, fn)
}

func (f *fakeTB) TempDir() string {
	dir, err := os.MkdirTemp("", "fake")
	if err != nil {
		f.Fatalf("%v", err)
	}
	f.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (f *fakeTB) failures() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(append(append([]string(nil), f.errors...), f.fatals...), "\n")
}

// run runs a test the way testing does: on a goroutine, since it may end in
// Goexit, and with the cleanups in reverse.
func (f *fakeTB) run(test func(tb testutil.TB)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for i := len(f.cleanups) - 1; i >= 0; i-- {
				f.cleanups[i]()
			}
			f.mu.Lock()
			f.complete = true
			f.mu.Unlock()
		}()
		test(f)
	}()
	<-done
}

// skippableTB is one that can be skipped as well.
type skippableTB struct{ fakeTB }

func (f *skippableTB) Skipf(format string, args ...any) {
	f.note(&f.skips, format, args)
	runtime.Goexit()
}

// networks are those that every test of a server goes through.
var networks = []string{"tcp", "unix"}

func onEachNetwork(t *testing.T, test func(t *testing.T, network string)) {
	t.Helper()
	for _, network := range networks {
		t.Run(network, func(t *testing.T) { test(t, network) })
	}
}

// patience bounds waits that are expected to succeed; it only matters when a
// test fails.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// dial connects to a server, with a deadline that keeps a broken test from
// hanging.
func dial(t *testing.T, s *testutil.Server) net.Conn {
	t.Helper()
	conn, err := net.Dial(s.Network(), s.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return conn
}

package testutil_test

import (
	"context"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/testutil"
)

// Checks that find something give it time to go away, which in a bubble costs
// none.

// lingerUntil is a goroutine with a name to look for.
func lingerUntil(release <-chan struct{}) { <-release }

func TestCheckLeaksNamesAGoroutineLeftOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var fake fakeTB
		fake.run(func(tb testutil.TB) {
			testutil.CheckLeaks(tb)
			go lingerUntil(release)
		})
		assert.Contains(t, fake.failures(), "TestFake left over")
		assert.Contains(t, fake.failures(), "lingerUntil")

		// What is there at the beginning is no leak.
		var second fakeTB
		second.run(testutil.CheckLeaks)
		assert.Empty(t, second.failures())
		close(release)
	})
}

func TestCheckLeaksNamesTheGoroutineOfNotifyContext(t *testing.T) {
	var fake fakeTB
	var stop context.CancelFunc
	fake.run(func(tb testutil.TB) {
		testutil.CheckLeaks(tb)
		_, stop = signal.NotifyContext(context.Background(), os.Interrupt)
	})
	defer stop()
	assert.Contains(t, fake.failures(), "NotifyContext")
}

func TestCheckLeaksKnowsAFileThatWasRenamedOrRemoved(t *testing.T) {
	if _, ok := testutil.OpenDescriptors(); !ok {
		t.Skip("this system doesn't list descriptors")
	}
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	synctest.Test(t, func(t *testing.T) {
		for _, change := range []func() error{
			func() error { return os.Rename(path, path+".1") },
			func() error { return os.Remove(path + ".1") },
		} {
			var fake fakeTB
			fake.run(func(tb testutil.TB) {
				testutil.CheckLeaks(tb)
				assert.NoError(t, change())
			})
			assert.Empty(t, fake.failures())
		}
	})
}

func TestCheckLeaksNamesADescriptorLeftOver(t *testing.T) {
	if _, ok := testutil.OpenDescriptors(); !ok {
		t.Skip("this system doesn't list descriptors")
	}
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "leaked-file")
		var leaked *os.File
		var fake fakeTB
		fake.run(func(tb testutil.TB) {
			testutil.CheckLeaks(tb)
			f, err := os.Create(path)
			assert.NoError(t, err)
			leaked = f
		})
		assert.Contains(t, fake.failures(), "descriptor ")
		if _, err := os.Stat("/proc/self/fd"); err == nil {
			assert.Contains(t, fake.failures(), "leaked-file")
		}
		require.NoError(t, leaked.Close())
	})
}

func TestCheckLeaksNamesADescriptorThatIsForgotten(t *testing.T) {
	if _, ok := testutil.OpenDescriptors(); !ok {
		t.Skip("this system doesn't list descriptors")
	}
	// Outside a bubble, where the looks for it take the time to be garbage.
	var fake fakeTB
	fake.run(func(tb testutil.TB) {
		testutil.CheckLeaks(tb)
		_, err := net.Listen("tcp", "127.0.0.1:0")
		assert.NoError(t, err)
	})
	assert.Contains(t, fake.failures(), "descriptor ")
	runtime.GC()
}

// gcPercent is GOGC, -1 where there are no collections.
func gcPercent() int {
	gogc := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(gogc)
	return int(gogc[0].Value.Uint64())
}

func TestCheckLeaksHoldsTheCollectorUpWhileItLooks(t *testing.T) {
	before, limit := gcPercent(), debug.SetMemoryLimit(-1)
	require.Positive(t, before)
	var fake fakeTB
	fake.run(func(tb testutil.TB) {
		testutil.CheckLeaks(tb)
		go func() {
			for gcPercent() >= 0 {
				runtime.Gosched()
			}
		}()
	})
	assert.Empty(t, fake.failures())
	assert.Equal(t, before, gcPercent())
	assert.Equal(t, limit, debug.SetMemoryLimit(-1))
}

func TestCheckLeaksHoldsTheCollectorUpWhenAnotherIsThrough(t *testing.T) {
	stop, through := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(through)
		new(fakeTB).run(func(tb testutil.TB) {
			testutil.CheckLeaks(tb)
			go func() { <-stop }() // looked for until it ends
		})
	}()
	for gcPercent() >= 0 {
		runtime.Gosched()
	}
	new(fakeTB).run(testutil.CheckLeaks)
	select {
	case <-through: // by its patience, on a very slow machine
	default:
		assert.Negative(t, gcPercent())
	}
	close(stop)
	<-through
}

func TestCheckLeaksNamesAPipeThatIsHeld(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("this system doesn't tell what a descriptor refers to")
	}
	var r, w *os.File
	var fake fakeTB
	fake.run(func(tb testutil.TB) {
		testutil.CheckLeaks(tb)
		var err error
		r, w, err = os.Pipe()
		assert.NoError(t, err)
	})
	assert.Contains(t, fake.failures(), "pipe:[")
	assert.NoError(t, r.Close())
	assert.NoError(t, w.Close())
}

func TestCheckLeaksLeavesTheCollectorAsItWasAlsoWhereChecksOverlap(t *testing.T) {
	before := gcPercent()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 20 {
				new(fakeTB).run(func(tb testutil.TB) {
					testutil.CheckLeaks(tb)
					go runtime.Gosched()
				})
			}
		})
	}
	wg.Wait()
	assert.Equal(t, before, gcPercent())
}

// splice copies between sockets, which takes several pipes.
func splice(t *testing.T) {
	in, out := testutil.NewEchoServer(t, "tcp"), testutil.NewEchoServer(t, "tcp")
	for range 20 {
		from, err := net.Dial("tcp", in.Remote())
		require.NoError(t, err)
		to, err := net.Dial("tcp", out.Remote())
		require.NoError(t, err)
		_, err = from.Write([]byte("hello"))
		require.NoError(t, err)
		_, err = io.CopyN(to, from, 5)
		assert.NoError(t, err)
		assert.NoError(t, from.Close())
		assert.NoError(t, to.Close())
	}
	in.Close()
	out.Close()
}

func TestCheckLeaksIsPatientWithThePipesOfACopyBetweenSockets(t *testing.T) {
	ballast := make([]byte, 64<<20) // with which a garbage collection is far away
	runtime.GC()
	var fake fakeTB
	fake.run(func(tb testutil.TB) {
		testutil.CheckLeaks(tb)
		splice(t)
	})
	assert.Empty(t, fake.failures())
	runtime.KeepAlive(ballast)
}

func TestCheckLeaksNamesNoPipesOfACopyBesideALeak(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("this system doesn't tell what a descriptor refers to")
	}
	ballast := make([]byte, 64<<20)
	runtime.GC()
	start, done := make(chan struct{}), make(chan struct{})
	go func() { // outside of the bubble
		defer close(done)
		<-start
		splice(t)
	}()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "leaked-file")
		var fake fakeTB
		fake.run(func(tb testutil.TB) {
			testutil.CheckLeaks(tb)
			close(start)
			<-done
			_, err := os.Create(path)
			assert.NoError(t, err)
		})
		assert.Contains(t, fake.failures(), "leaked-file", "though the collector may have closed it since")
		assert.NotContains(t, fake.failures(), "pipe:[")
	})
	runtime.KeepAlive(ballast)
}

func TestCheckLeaksNoticesAnotherFileOfTheSameName(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("this system doesn't tell what a descriptor refers to")
	}
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "log")
		first, err := os.Create(path)
		require.NoError(t, err)
		var second *os.File
		var fake fakeTB
		fake.run(func(tb testutil.TB) {
			testutil.CheckLeaks(tb)
			assert.NoError(t, os.Rename(path, path+".1"))
			assert.NoError(t, first.Close())
			second, err = os.Create(path) // takes the lowest number
			assert.NoError(t, err)
		})
		assert.Contains(t, fake.failures(), path)
		require.NoError(t, second.Close())
	})
}

func TestCheckLeaksNoticesADescriptorUsedForSomethingElse(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("this system doesn't tell what a descriptor refers to")
	}
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first, err := os.Create(filepath.Join(dir, "first"))
		require.NoError(t, err)
		var second *os.File
		var fake fakeTB
		fake.run(func(tb testutil.TB) {
			testutil.CheckLeaks(tb)
			assert.NoError(t, first.Close())
			second, err = os.Create(filepath.Join(dir, "second")) // takes the lowest number
			assert.NoError(t, err)
		})
		assert.Contains(t, fake.failures(), "second")
		require.NoError(t, second.Close())
	})
}

func TestCheckLeaksWaitsForWhatIsJustEnding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fake fakeTB
		fake.run(func(tb testutil.TB) {
			testutil.CheckLeaks(tb)
			go time.Sleep(time.Second)
		})
		assert.Empty(t, fake.failures())
	})
}

func TestCheckLeaksRunsAfterLaterCleanups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var forgotten net.Conn // kept from the garbage collector, which closes
		var fake fakeTB
		fake.run(func(tb testutil.TB) {
			testutil.CheckLeaks(tb)
			s := testutil.NewEchoServer(tb, "tcp")
			conn, err := net.Dial("tcp", s.Remote())
			assert.NoError(t, err)
			forgotten = conn
		})
		// The client's side of the connection is what the test forgot.
		if _, ok := testutil.OpenDescriptors(); ok {
			assert.Equal(t, 1, strings.Count(fake.failures(), "descriptor "), fake.failures())
		}
		assert.NotContains(t, fake.failures(), "goroutine ")
		require.NoError(t, forgotten.Close())
	})
}

// leakedBy counts the goroutines that a test has to do with; those of an earlier
// one may be just ending.
func leakedBy(t *testing.T) (n int) {
	t.Helper()
	for _, stack := range testutil.LeakedGoroutines() {
		assert.NotContains(t, stack, "testing.tRunner(")
		if strings.Contains(stack, t.Name()) {
			n++
		}
	}
	return n
}

func TestLeakedGoroutinesLeavesOutTheCallerAndTesting(t *testing.T) {
	testutil.CheckLeaks(t)
	assert.Zero(t, leakedBy(t))
	release := make(chan struct{})
	go lingerUntil(release)
	n := leakedBy(t)
	close(release)
	assert.Equal(t, 1, n)
}

func TestLeakedGoroutinesLeavesOutTheBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, stack := range testutil.LeakedGoroutines() {
			assert.NotContains(t, stack, "testing/synctest.")
		}
	})
}

func TestLeakedGoroutinesFindsThemAmongMany(t *testing.T) {
	testutil.CheckLeaks(t)
	release := make(chan struct{})
	for range 1000 {
		go lingerUntil(release)
	}
	n := leakedBy(t)
	close(release)
	assert.Equal(t, 1000, n)
}

func TestOpenDescriptorsCountsThem(t *testing.T) {
	before, ok := testutil.OpenDescriptors()
	if !ok {
		t.Skip("this system doesn't list descriptors")
	}
	f, err := os.Open(os.DevNull)
	require.NoError(t, err)
	during, _ := testutil.OpenDescriptors()
	require.NoError(t, f.Close())
	after, _ := testutil.OpenDescriptors()
	assert.Equal(t, before+1, during)
	assert.Equal(t, before, after)
}

// runner is a set of tests in the place of *testing.M.
type runner func() int

func (r runner) Run() int { return r() }

func TestMainPassesOnWhatTheTestsReturn(t *testing.T) {
	for _, code := range []int{0, 1, 3} {
		assert.Equal(t, code, testutil.Main(runner(func() int { return code })))
	}
}

func TestMainFailsWhenSomethingIsLeftOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		defer r.Close()
		release := make(chan struct{})

		stderr := os.Stderr
		os.Stderr = w
		code := testutil.Main(runner(func() int {
			go lingerUntil(release)
			return 0
		}))
		os.Stderr = stderr
		close(release)
		require.NoError(t, w.Close())

		buf := make([]byte, 64<<10)
		n, _ := r.Read(buf)
		assert.Equal(t, 1, code)
		assert.Contains(t, string(buf[:n]), "lingerUntil")
	})
}

package reconnect_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// The tests of this file guard what a client costs, as far as that doesn't
// depend on the machine. How much it costs is measured by the benchmarks, and
// by examples/bench.

// What an idle client takes, with both ends of its connection: a bare one takes
// 700 bytes of heap and the same stack. Recorded on a 64-bit system; lower it
// when a client has become smaller. A wait, or a read with a timeout, that is
// too deep for the smallest stack would take one of twice the size.
const (
	idleClientHeap  = 2150
	idleClientStack = 2048
)

// Among thousands that reconnect, the garbage collector is quick with objects of up to
// 512 bytes.
func TestAClientIsAnObjectThatTheCollectorIsQuickWith(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(reconnect.Client{}), uintptr(512))
}

func TestReadsAndWritesAllocateNothing(t *testing.T) {
	const calls = benchChunk - 1 // AllocsPerRun adds one to warm up
	for _, side := range benchSides {
		t.Run(side.name, func(t *testing.T) {
			l := side.link(t, "tcp")
			p := make([]byte, benchMessage)
			var failed error
			l.fill(t)
			assert.Zero(t, testing.AllocsPerRun(calls, func() {
				if _, err := l.Read(p); err != nil {
					failed = err
				}
			}), "allocations per Read")
			assert.Zero(t, testing.AllocsPerRun(calls, func() {
				if _, err := l.Write(p); err != nil {
					failed = err
				}
			}), "allocations per Write")
			require.NoError(t, failed)
		})
	}
}

func TestStatusAllocatesNothing(t *testing.T) {
	c := benchSides[1].link(t, "tcp").ReadWriter.(*reconnect.Client)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = c.Status() }))
}

func TestNewAndShutdownAllocateLittle(t *testing.T) {
	allocs := testing.AllocsPerRun(100, func() {
		c := reconnect.Must(&reconnect.Config{Remote: "127.0.0.1:1"})
		_ = c.Shutdown(context.Background())
	})
	assert.LessOrEqual(t, allocs, 20.0)
}

func TestAConnectedClientIsOneGoroutineWithItsSession(t *testing.T) {
	const clients = 20
	for _, kind := range []string{"waits", "reads", "none"} {
		t.Run(kind, func(t *testing.T) {
			l := benchListen(t, "unix")
			before := runtime.NumGoroutine()
			for range clients {
				var c *reconnect.Client
				cfg := &reconnect.Config{Remote: l.Addr().String(), ReadTimeout: -1}
				switch kind {
				case "waits":
					cfg.OnSession = waitForSessionEnd
				case "reads":
					cfg.OnSession = func(context.Context) error {
						_, err := c.Read(make([]byte, 1))
						return err
					}
				}
				c, err := reconnect.New(cfg)
				require.NoError(t, err)
				guardStarted(t, c, l)
			}
			// fewer when one that was about to end was counted before
			assert.LessOrEqual(t, guardGoroutines(before+clients)-before, clients)
		})
	}
}

// guardStarted connects a client and sees to the end of it.
func guardStarted(t *testing.T, c *reconnect.Client, l net.Listener) {
	t.Helper()
	t.Cleanup(func() { _ = c.Shutdown(context.Background()) })
	require.NoError(t, c.Connect())
	peer, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = peer.Close() })
}

// guardGoroutines counts goroutines, once those that are about to end have done
// so: it looks again until there are as few as wanted, but not for ever.
func guardGoroutines(wanted int) int {
	n := runtime.NumGoroutine()
	for range 1 << 20 {
		if n <= wanted {
			break
		}
		runtime.Gosched()
		n = runtime.NumGoroutine()
	}
	return n
}

func TestAnIdleClientTakesNoMoreMemoryThanRecorded(t *testing.T) {
	if guardRace() {
		t.Skip("the race detector takes memory of its own")
	}
	if os.Getenv(guardAlone) == "" {
		guardProcess(t)
		return
	}
	for name, session := range map[string]func(context.Context, *reconnect.Client) error{
		"waits": func(ctx context.Context, _ *reconnect.Client) error { return waitForSessionEnd(ctx) },
		"reads": func(_ context.Context, c *reconnect.Client) error {
			_, err := c.Read(make([]byte, 1))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			start := func(l net.Listener) (stop func()) {
				var c *reconnect.Client
				c, err := reconnect.New(&reconnect.Config{
					Remote:      l.Addr().String(),
					ReadTimeout: time.Hour,
					OnSession:   func(ctx context.Context) error { return session(ctx, c) },
				})
				require.NoError(t, err)
				require.NoError(t, c.Connect())
				return func() { _ = c.Shutdown(context.Background()) }
			}
			guardMemory(t, func() guardWeight { return guardWeigh(t, start) })
		})
	}
}

// guardAlone is set in the process that a test has for itself.
const guardAlone = "RECONNECT_GUARD_ALONE"

// guardProcess runs the test in a process of its own that uses one processor, so
// that how deep the runtime goes depends little on the machine and its load. The
// deepest is to arm a deadline where the timer of a dial has yet to leave the heap.
func guardProcess(t *testing.T) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(program, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), guardAlone+"=1", "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "PASS: "+t.Name(), "it ran")
}

// guardMemory fails if a client weighs too much, again and again: a few stacks
// grow when the runtime's own table of timers does.
func guardMemory(t *testing.T, weigh func() guardWeight) {
	t.Helper()
	const attempts = 10
	most := 1.2 * idleClientStack
	if runtime.GOARCH != "amd64" {
		most *= 2 // frames are of another size
	}
	var client guardWeight
	for range attempts {
		client = weigh()
		t.Logf("heap %.0f, stack %.0f", client.heap, client.stack)
		if client.heap < 0.8*idleClientHeap {
			t.Logf("much less than the %d recorded: record it", idleClientHeap)
		}
		if client.heap <= 1.2*idleClientHeap && client.stack <= most {
			return
		}
	}
	t.Errorf("%.0f bytes of heap and %.0f of stack, %d and %d were recorded",
		client.heap, client.stack, idleClientHeap, idleClientStack)
}

// guardRace tells if the race detector is there.
func guardRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// A guardWeight is in bytes.
type guardWeight struct {
	heap, stack float64
}

// guardWeigh returns what each of many connections takes, both ends of it.
func guardWeigh(t *testing.T, start func(net.Listener) (stop func())) guardWeight {
	t.Helper()
	const n = 1000
	guardBallast(3 * n)() // the runtime keeps what it knows a goroutine by, for the next
	defer guardBallast(n)()
	l := benchListen(t, "unix")
	peers, stops := make([]net.Conn, 0, n), make([]func(), 0, n)
	before := guardBytes()
	for range n {
		stops = append(stops, start(l))
		peer, err := l.Accept()
		require.NoError(t, err)
		peers = append(peers, peer)
	}
	after := guardBytes()
	for i := range n {
		stops[i]()
		_ = peers[i].Close()
	}
	return guardWeight{(after.heap - before.heap) / n, (after.stack - before.stack) / n}
}

// guardBallast starts many goroutines that do nothing. New goroutines get as much
// stack as those of the last collection needed on average, which would depend
// on whatever else has run before.
func guardBallast(n int) (drop func()) {
	guardBytes() // frees the stacks of goroutines that have ended, span by span
	var group sync.WaitGroup
	done := make(chan struct{})
	for range n {
		group.Go(func() { <-done })
	}
	return func() {
		close(done)
		group.Wait()
	}
}

func guardBytes() guardWeight {
	// pools and finalizers take two collections to let go, and stacks shrink
	// by half in each
	for range 5 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return guardWeight{float64(m.HeapAlloc), float64(m.StackInuse)}
}

// A timer that nobody needs would show as a deadline that is set while nothing
// is read or written, and thousands of clients would keep a machine awake by
// them.
func TestAnIdleClientArmsNoTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &countingDialer{}
		c := benchClient(t, &reconnect.Config{
			Remote:    "server.test:1",
			Dialer:    d,
			OnSession: waitForSessionEnd,
		})
		start := d.armed.Load()
		time.Sleep(time.Hour)
		assert.Equal(t, start, d.armed.Load(), "deadlines set in an idle hour")
		assert.Equal(t, reconnect.Connected, c.State())
	})
}

func TestABusyClientArmsItsDeadlinesOnceInAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &countingDialer{}
		c := benchClient(t, &reconnect.Config{
			Remote:    "server.test:1",
			Dialer:    d,
			OnSession: waitForSessionEnd,
		})
		const calls = 1000
		p := make([]byte, benchMessage)
		start := d.armed.Load()
		for range calls {
			_, err := c.Write(p)
			require.NoError(t, err)
			_, err = c.Read(p)
			require.NoError(t, err)
		}
		assert.LessOrEqual(t, d.armed.Load()-start, int64(4), "deadlines set in no time, by %d reads and writes", calls)
	})
}

// A countingDialer makes connections that always have something to read and
// room for a write. It counts how often a deadline is set.
type countingDialer struct {
	armed atomic.Int64
}

func (d *countingDialer) DialContext(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	return &countingConn{Conn: near, far: far, dialer: d}, nil
}

type countingConn struct {
	net.Conn // for the addresses
	far      net.Conn
	dialer   *countingDialer
	close    sync.Once
}

func (c *countingConn) Read(p []byte) (int, error)  { return len(p), nil }
func (c *countingConn) Write(p []byte) (int, error) { return len(p), nil }

func (c *countingConn) Close() error {
	c.close.Do(func() {
		_ = c.far.Close()
		_ = c.Conn.Close()
	})
	return nil
}

func (c *countingConn) count(at time.Time) error {
	if !at.IsZero() {
		c.dialer.armed.Add(1)
	}
	return nil
}

func (c *countingConn) SetDeadline(at time.Time) error      { return c.count(at) }
func (c *countingConn) SetReadDeadline(at time.Time) error  { return c.count(at) }
func (c *countingConn) SetWriteDeadline(at time.Time) error { return c.count(at) }

// The bounds of the ratios are so wide that only a mistake exceeds them, such
// as a clock that is read or a deadline that is armed by every call.
func TestReadAndWriteCostHardlyMoreThanBare(t *testing.T) {
	for _, side := range benchSides[1:] {
		t.Run(side.name, func(t *testing.T) {
			bare, client := benchSides[0].link(t, "tcp"), side.link(t, "tcp")
			guardRatio(t, 2, func() (time.Duration, time.Duration) {
				return guardCalls(t, bare), guardCalls(t, client)
			})
		})
	}
}

func TestAnEchoCostsHardlyMoreThanBare(t *testing.T) {
	for _, side := range benchSides[1:] {
		t.Run(side.name, func(t *testing.T) {
			bare, client := benchSides[0].link(t, "tcp"), side.link(t, "tcp")
			bare.echo(t)
			client.echo(t)
			guardRatio(t, 1.5, func() (time.Duration, time.Duration) {
				return guardEchoes(t, bare), guardEchoes(t, client)
			})
		})
	}
}

// guardRatio fails if the median ratio of neighbours is over the bound, again
// and again.
func guardRatio(t *testing.T, bound float64, pair func() (bare, client time.Duration)) {
	t.Helper()
	const pairs, attempts = 31, 10
	var last float64
	for range attempts {
		ratios := make([]float64, pairs)
		for i := range ratios {
			bare, client := pair()
			ratios[i] = float64(client) / float64(bare)
		}
		slices.Sort(ratios)
		if last = ratios[pairs/2]; last <= bound {
			return
		}
	}
	t.Errorf("costs %.2f times as much as a bare connection, more than %.2f", last, bound)
}

// guardCalls times a chunk of writes, and one of reads.
func guardCalls(t *testing.T, l *benchLink) time.Duration {
	p := make([]byte, benchMessage)
	l.fill(t)
	start := time.Now()
	for range benchChunk {
		if _, err := l.Read(p); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(start)
	l.drain(t, benchChunk)
	return took
}

func guardEchoes(t *testing.T, l *benchLink) time.Duration {
	p := make([]byte, benchMessage)
	start := time.Now()
	for range benchChunk {
		if _, err := l.Write(p); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Read(p); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(start)
}

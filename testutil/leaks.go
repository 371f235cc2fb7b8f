package testutil

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	// settleFor bounds the wait for goroutines that are about to end.
	settleFor = 2 * time.Second
	// settleEvery is the longest pause between two looks.
	settleEvery = 20 * time.Millisecond
)

// CheckLeaks is for the beginning of a test. At its end, after all cleanups
// that were registered later, it fails the test if goroutines run or descriptors
// are open that weren't at the beginning, and names them. It gives them up to 2
// s to go away, and pipes as long again. Where descriptors aren't listed at the
// beginning (see [OpenDescriptors]) it looks at goroutines alone; macOS doesn't tell
// what one refers to, so that its number is all there is to know. What was never closed,
// but found by the garbage collector before the end of the test, is open no longer; nor
// is, on Linux, a pipe that nobody refers to.
//
// What other tests do at the same time looks the same as what this one leaves
// behind, so it is not for tests that run in parallel.
func CheckLeaks(tb TB) {
	tb.Helper()
	before := takeCensus()
	tb.Cleanup(func() {
		tb.Helper()
		if leaks := before.settle(); len(leaks) > 0 {
			tb.Errorf("testutil: %s left over:\n%s", tb.Name(), strings.Join(leaks, "\n\n"))
		}
	})
}

// Main is for a TestMain: it runs the tests and, if they passed, does for all of
// them what [CheckLeaks] does for one. It prints what is left over to the
// standard error, and returns the code to exit with.
//
//	func TestMain(m *testing.M) { os.Exit(testutil.Main(m)) }
func Main(m interface{ Run() int }) (exitCode int) {
	before := takeCensus()
	if exitCode = m.Run(); exitCode != 0 {
		return exitCode
	}
	if leaks := before.settle(); len(leaks) > 0 {
		fmt.Fprintf(os.Stderr, "testutil: the tests left over:\n%s\n", strings.Join(leaks, "\n\n"))
		return 1
	}
	return 0
}

// census is what there was at one time. It is not changed afterwards.
type census struct {
	goroutines  map[string]bool    // by number, which is never used again
	descriptors map[int]descriptor // nil if they aren't listed
}

func takeCensus() census {
	warmPoller()
	c := census{goroutines: make(map[string]bool)}
	for _, g := range listGoroutines(new([]byte)) {
		c.goroutines[g.id] = true
	}
	c.descriptors, _ = listDescriptors()
	return c
}

// settle waits until nothing is left over, and gives what still is. Meanwhile no
// garbage is collected, since that would close what was forgotten as well.
func (c census) settle() []string {
	holdCollector()
	defer releaseCollector()
	leaks := c.await(isNoPipe)
	if !slices.ContainsFunc(leaks, isPipe) {
		return leaks
	}
	// A copy between sockets leaves pipes in a pool, which takes two collections to give
	// them up. These may close what else was forgotten, which is told of nevertheless.
	runtime.GC()
	runtime.GC()
	pipes := slices.DeleteFunc(c.await(isPipe), isNoPipe)
	return append(slices.DeleteFunc(leaks, isPipe), pipes...)
}

// await waits until there are no leaks of a kind any more, for settleFor at most, and gives
// all that there are then.
func (c census) await(kind func(leak string) bool) []string {
	var stacks []byte
	pauseFor := time.Millisecond
	for give := time.Now().Add(settleFor); ; pauseFor = min(2*pauseFor, settleEvery) {
		runtime.Gosched()
		leaks := c.since(&stacks)
		if !slices.ContainsFunc(leaks, kind) || time.Now().After(give) {
			return leaks
		}
		pause(nil, pauseFor)
	}
}

func isPipe(leak string) bool {
	rest, ok := strings.CutPrefix(leak, "descriptor ")
	_, target, _ := strings.Cut(rest, " ")
	return ok && strings.HasPrefix(target, "pipe:[")
}

func isNoPipe(leak string) bool { return !isPipe(leak) }

// since describes what has come up since the census.
func (c census) since(stacks *[]byte) []string {
	var leaks []string
	for _, g := range listGoroutines(stacks) {
		if !c.goroutines[g.id] {
			leaks = append(leaks, g.stack)
		}
	}
	if c.descriptors == nil {
		return leaks
	}
	open, err := listDescriptors()
	if err != nil {
		return append(leaks, fmt.Sprintf("descriptors, which can't be listed any more: %v", err))
	}
	for _, fd := range slices.Sorted(maps.Keys(open)) {
		// The number may be used again, for something else.
		if before, was := c.descriptors[fd]; !was || !before.isSame(open[fd]) {
			leaks = append(leaks, strings.TrimSpace(fmt.Sprintf("descriptor %d %s", fd, open[fd].target)))
		}
	}
	return leaks
}

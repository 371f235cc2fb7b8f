package testutil

import (
	"bytes"
	"runtime"
	"strings"
)

// maxStacks bounds the memory for the stacks of all goroutines, in bytes.
const maxStacks = 64 << 20

// notOurs are beginnings of lines in the stacks of goroutines that belong to
// the program, to testing, or to the runtime, and last as long as these do.
var notOurs = []string{
	"main.main(",
	"testing.(*M).",
	"testing.tRunner(",
	"testing.fRunner(",
	"testing.(*B).run1.func",
	"testing.(*B).launch(",
	"testing/synctest.testingSynctestTest(",
	"internal/fuzz.",
	"os/signal.loop(",
	"os/signal.signal_recv(",
	"created by os/signal.Notify.",
	"created by runtime.",
	"created by runtime/trace.",
	"created by runtime/pprof.",
	"created by testing.(", // by its types: a test that is about to begin or just ended
}

// goroutine is one block of the text that the runtime gives out.
type goroutine struct {
	id    string
	stack string
}

// LeakedGoroutines gives the stacks of the goroutines that run now, save the
// caller's and those of the runtime, of testing and of running tests. It
// doesn't wait for any to end, so what is just ending may be among them;
// [CheckLeaks] and [Main] do wait.
func LeakedGoroutines() []string {
	var stacks []string
	for _, g := range listGoroutines(new([]byte)) {
		stacks = append(stacks, g.stack)
	}
	return stacks
}

// listGoroutines leaves out the caller and what isn't ours. It makes the buffer as
// long as it has to be.
func listGoroutines(buf *[]byte) []goroutine {
	var list []goroutine
	caller := true // the runtime puts it first
	for block := range bytes.SplitSeq(allStacks(buf), []byte("\n\n")) {
		if g, ok := parseGoroutine(block); ok && !caller {
			list = append(list, g)
		}
		caller = false
	}
	return list
}

// parseGoroutine reports false for text that isn't a goroutine, such as one cut
// off by the bound on memory, and for one that is not ours.
func parseGoroutine(block []byte) (goroutine, bool) {
	stack := string(bytes.TrimSpace(block))
	rest, ok := strings.CutPrefix(stack, "goroutine ")
	if !ok {
		return goroutine{}, false
	}
	id, _, ok := strings.Cut(rest, " ")
	if !ok {
		return goroutine{}, false
	}
	for line := range strings.Lines(rest) {
		for _, prefix := range notOurs {
			if strings.HasPrefix(line, prefix) {
				return goroutine{}, false
			}
		}
	}
	return goroutine{id: id, stack: stack}, true
}

func allStacks(buf *[]byte) []byte {
	for size := max(len(*buf), 64<<10); ; size *= 2 {
		if size > len(*buf) {
			*buf = make([]byte, size)
		}
		if n := runtime.Stack(*buf, true); n < size || size >= maxStacks {
			return (*buf)[:n]
		}
	}
}

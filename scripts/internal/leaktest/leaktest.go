// Package leaktest fails tests that leave goroutines behind. It needs nothing
// but the standard library, so that the tools of the repository can be run and
// tested without a single download.
package leaktest

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"testing"
)

// Main is the body of a TestMain: it runs the tests and ends the process, with
// an exit code of 1 also when all have passed but goroutines are left.
func Main(m *testing.M) {
	code := m.Run()
	if left := Leftover(); code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n\n%s\n", bytes.Join(left, []byte("\n\n")))
		code = 1
	}
	os.Exit(code)
}

// Leftover returns the stacks of all goroutines but the caller's. Those about to
// end get the chance to.
func Leftover() (left [][]byte) {
	buf := make([]byte, 1<<20)
	for range 1000 {
		stacks := bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n"))
		if left = stacks[1:]; len(left) == 0 {
			break
		}
		runtime.Gosched()
	}
	return left
}

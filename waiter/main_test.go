package waiter_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"testing"
)

// TestMain fails when a test has left a goroutine of this package behind. It
// looks for them by itself, so that the module needs nothing else for its tests.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftover(); code == 0 && left != nil {
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n\n%s\n", bytes.Join(left, []byte("\n\n")))
		code = 1
	}
	os.Exit(code)
}

// leftover returns the stacks of goroutines other than the caller's that run
// code of this module. Those about to end get the chance to.
func leftover() (left [][]byte) {
	buf := make([]byte, 1<<20)
	for range 1000 {
		left = nil
		stacks := bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n"))
		for _, s := range stacks[1:] {
			if bytes.Contains(s, []byte("darvaza.org/x/net/waiter")) {
				left = append(left, s)
			}
		}
		if left == nil {
			break
		}
		runtime.Gosched()
	}
	return left
}

package demotest_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/examples/internal/demotest"
)

func TestMain(m *testing.M) {
	demotest.Main(m, func() {
		fmt.Println("arguments:", os.Args[1:])
		os.Exit(len(os.Args[1:]))
	})
}

func TestTheTestBinaryIsTheProgramWithItsArguments(t *testing.T) {
	assert.Equal(t, "arguments: []\n", demotest.Output(t))
	out, err := demotest.Program(t, "-v", "b").Output()
	assert.Equal(t, "arguments: [-v b]\n", string(out))
	assert.Equal(t, 2, demotest.ExitCode(t, err))
	assert.Zero(t, demotest.ExitCode(t, nil))
}

func TestAPlayIsStoppedOnceAtEachLine(t *testing.T) {
	var told []int // how far each play got
	demotest.StopAtEveryLine(t, "one\ntwo\nthree\n", func(ctx context.Context, out io.Writer) error {
		for n, line := range []string{"one", "two", "three"} {
			_, _ = io.WriteString(out, line+"\n")
			if ctx.Err() != nil {
				told = append(told, n+1)
				return ctx.Err()
			}
		}
		return nil
	})
	assert.Equal(t, []int{1, 2, 3}, told)
}

func TestAPageWakesAllWhoWaitForAText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var page demotest.Page
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() { page.WaitFor(t, "tick", 2) })
		}
		for range 2 {
			synctest.Wait() // all wait by now
			_, err := page.Write([]byte("tick\n"))
			assert.NoError(t, err)
		}
		waiting.Wait()
		assert.Equal(t, "tick\ntick\n", page.String())
	})
}

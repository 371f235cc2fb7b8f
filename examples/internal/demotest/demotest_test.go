package demotest_test

import (
	"fmt"
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

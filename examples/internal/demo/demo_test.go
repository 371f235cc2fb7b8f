package demo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/internal/demo"
	"darvaza.org/x/net/examples/internal/demotest"
)

func TestMain(m *testing.M) {
	demotest.Main(m, func() { demo.Main("demo", plays[os.Args[1]]) })
}

// plays are the stories that the test binary can play, by its first argument.
var plays = map[string]func(context.Context, io.Writer) error{
	"ends": func(_ context.Context, out io.Writer) error {
		_, err := fmt.Fprintln(out, "the end")
		return err
	},
	"fails": func(context.Context, io.Writer) error {
		return errors.New("nobody came")
	},
	"waits": func(ctx context.Context, out io.Writer) error {
		_, _ = fmt.Fprintln(out, "waiting")
		<-ctx.Done()
		_, _ = fmt.Fprintln(out, "interrupted")
		return fmt.Errorf("play: %w", ctx.Err())
	},
}

func TestAStoryGoesToTheStandardOutput(t *testing.T) {
	assert.Equal(t, "the end\n", demotest.Output(t, "ends"))
}

func TestAnErrorIsPrintedAndShowsInTheExitCode(t *testing.T) {
	cmd := demotest.Program(t, "fails")
	var stderr demotest.Page
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	assert.Equal(t, 1, demotest.ExitCode(t, err))
	assert.Empty(t, string(out))
	assert.Equal(t, "demo: nobody came\n", stderr.String())
}

func TestAnInterruptCancelsTheContextAndIsNoError(t *testing.T) {
	lines := demotest.Interrupt(t, demotest.Program(t, "waits"), func(string) bool { return true })
	require.Equal(t, []string{"waiting", "interrupted"}, lines)
}

package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// asProgram in the environment makes the test binary be the program.
const asProgram = "QUICKSTART_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// program is the program with the given arguments, about to be started.
func program(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

func TestTheProgramEndsByItselfWithASummary(t *testing.T) {
	out, err := program(t.Context(), "-speed", "20").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "\nsummary ")
	assert.True(t, strings.HasSuffix(string(out), "Every message arrived exactly once.\n"), "%s", out)
}

func TestAnInterruptStopsTheProgramCleanly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("os.Process.Signal sends no interrupt on Windows")
	}
	cmd := program(t.Context())
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())

	var last string
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		last = lines.Text()
		if strings.HasSuffix(last, "connected") {
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
		}
	}
	require.NoError(t, cmd.Wait())
	assert.Contains(t, last, "Stopped early")
}

func TestASpeedThatMakesNoSenseIsRefused(t *testing.T) {
	for _, speed := range []string{"0", "-1", "NaN", "fast"} {
		out, err := program(t.Context(), "-speed", speed).CombinedOutput()
		var exit *exec.ExitError
		if assert.ErrorAs(t, err, &exit) {
			assert.Equal(t, 2, exit.ExitCode(), "%s", out)
		}
	}
}

package demotest

import (
	"bufio"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// Interrupt starts cmd and interrupts it, as Ctrl-C does, once it has printed a
// line for which when is true. It waits for the program's end, which has to be a
// good one, and returns the lines of its standard output. The test is skipped on
// Windows, where a process can't be sent an interrupt.
func Interrupt(t *testing.T, cmd *exec.Cmd, when func(line string) bool) (lines []string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("os.Process.Signal sends no interrupt on Windows")
	}
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())

	interrupted := false
	for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
		lines = append(lines, scanner.Text())
		if !interrupted && when(scanner.Text()) {
			interrupted = true
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
		}
	}
	require.NoError(t, cmd.Wait())
	require.True(t, interrupted, "the line to be interrupted at never came: %q", lines)
	return lines
}

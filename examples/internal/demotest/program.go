package demotest

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// asProgram in the environment makes the test binary be the program.
const asProgram = "EXAMPLE_AS_PROGRAM"

// Main is the body of a TestMain. It runs the tests and fails when they leave
// goroutines behind, unless the binary was started by [Program]: then it runs
// program, the main function, with the arguments of the process.
func Main(m *testing.M, program func()) {
	if os.Getenv(asProgram) != "" {
		program()
		return
	}
	goleak.VerifyTestMain(m)
}

// Program is the program with the given arguments, about to be started. It is
// killed at the end of the test. The TestMain of the test has to call [Main].
func Program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// Output runs the program with the given arguments to its end, which has to be a
// good one, and returns all that it prints.
func Output(t *testing.T, args ...string) string {
	t.Helper()
	out, err := Program(t, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// ExitCode is that of a program whose run returned err. It fails the test when
// there was no run.
func ExitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	require.NoError(t, err)
	return 0
}

package main

import (
	"bufio"
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
const asProgram = "SUPERVISED_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestTheProgramEndsByItself(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	// Not the whole story: on a busy machine there may be a ping too many.
	assert.True(t, strings.HasPrefix(string(out), "client: connected\n"), "%s", out)
	assert.Contains(t, string(out), "client: no answer, so the connection is dropped\nclient: connected\n")
	assert.Regexp(t, `client: stopped after \d+ sessions\n$`, string(out))
}

func TestAnInterruptEndsTheProgramWell(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("os.Process.Signal sends no interrupt on Windows")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asProgram+"=1")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())

	lines := bufio.NewScanner(stdout)
	require.True(t, lines.Scan())
	assert.Equal(t, "client: connected", lines.Text())
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	for lines.Scan() { // to the end of the output
	}
	assert.NoError(t, cmd.Wait())
}

func TestTheReadmeShowsWhatTheProgramPrints(t *testing.T) {
	page, err := os.ReadFile("README.md")
	require.NoError(t, err)
	parts := strings.Split(string(page), "```\n")
	require.Len(t, parts, 3)
	assert.Contains(t, story, parts[1])
}

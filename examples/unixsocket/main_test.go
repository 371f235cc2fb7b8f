package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// asProgram in the environment makes the test binary be the program.
const asProgram = "UNIXSOCKET_AS_PROGRAM"

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
	assert.Equal(t, transcript(), string(out))
}

func TestTheReadmeShowsWhatTheProgramPrints(t *testing.T) {
	page, err := os.ReadFile("README.md")
	require.NoError(t, err)
	parts := strings.Split(string(page), "```\n")
	require.Len(t, parts, 3)
	assert.Contains(t, transcript(), parts[1])
}

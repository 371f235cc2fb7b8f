//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/internal/demotest"
	"darvaza.org/x/net/testutil"
)

// build makes the program as one installs it, but for the revision: git tells that
// to nobody but the owner of the checkout.
func build(t *testing.T) (file string) {
	t.Helper()
	file = t.TempDir() + "/rnc"
	out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", file, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return file
}

func TestTheProgramTalksOverEveryTransport(t *testing.T) {
	rnc := build(t)
	ca := newAuthority(t)
	for name, args := range map[string][]string{
		"tcp":  {testutil.NewEchoServer(t, "tcp").Remote()},
		"unix": {testutil.NewEchoServer(t, "unix").Remote()},
		"tls":  {"-tls", "-ca", ca.file, newTLSServer(t, "tcp", ca.server(false)).Remote()},
	} {
		cmd := exec.CommandContext(t.Context(), rnc, args...)
		cmd.Stdin = strings.NewReader("hello\n")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, "%s: %s", name, &stderr)
		assert.Equal(t, "hello\n", string(out), name)
		assert.Empty(t, stderr.String(), name)
	}
}

func TestTheExitCodeTellsHowItEnded(t *testing.T) {
	server := testutil.NewEchoServer(t, "unix")
	assert.Equal(t, 0, demotest.ExitCode(t, demotest.Program(t, server.Remote()).Run()))
	assert.Equal(t, 0, demotest.ExitCode(t, demotest.Program(t, "-h").Run()))
	assert.Equal(t, 1, demotest.ExitCode(t, demotest.Program(t).Run()))
	server.Stop()
	assert.Equal(t, 1, demotest.ExitCode(t, demotest.Program(t, "-once", server.Remote()).Run()))
}

func TestASignalEndsItAndShowsInTheExitCode(t *testing.T) {
	server := testutil.NewServer(t, "tcp", hold)
	for sig, want := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 143} {
		cmd := demotest.Program(t, "-status", server.Remote())
		stdin, err := cmd.StdinPipe() // it stays open, and is being read
		require.NoError(t, err)
		stderr := new(demotest.Page)
		cmd.Stderr = stderr
		require.NoError(t, cmd.Start())
		stderr.WaitFor(t, "connected to", 1)
		require.NoError(t, cmd.Process.Signal(sig))
		assert.Equal(t, want, demotest.ExitCode(t, cmd.Wait()), "%v: %s", sig, stderr)
		_ = stdin.Close()
	}
}

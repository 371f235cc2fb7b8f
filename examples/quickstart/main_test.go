package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/examples/internal/demotest"
)

func TestMain(m *testing.M) { demotest.Main(m, main) }

func TestTheProgramEndsByItselfWithASummary(t *testing.T) {
	out := demotest.Output(t, "-speed", "20")
	assert.Contains(t, out, "\nsummary ")
	assert.True(t, strings.HasSuffix(out, "Every message arrived exactly once.\n"), "%s", out)
}

func TestAnInterruptStopsTheProgramCleanly(t *testing.T) {
	lines := demotest.Interrupt(t, demotest.Program(t), func(line string) bool {
		return strings.HasSuffix(line, "connected")
	})
	assert.Contains(t, lines[len(lines)-1], "Stopped early")
}

func TestASpeedThatMakesNoSenseIsRefused(t *testing.T) {
	for _, speed := range []string{"0", "-1", "NaN", "fast"} {
		out, err := demotest.Program(t, "-speed", speed).CombinedOutput()
		assert.Equal(t, 2, demotest.ExitCode(t, err), "%s", out)
	}
}

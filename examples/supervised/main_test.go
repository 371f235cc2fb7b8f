package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/examples/internal/demotest"
)

func TestMain(m *testing.M) { demotest.Main(m, main) }

func TestTheProgramEndsByItself(t *testing.T) {
	out := demotest.Output(t)
	// Not the whole story: on a busy machine there may be a ping too many.
	assert.True(t, strings.HasPrefix(out, "client: connected\n"), "%s", out)
	assert.Contains(t, out, "client: no answer, so the connection is dropped\nclient: connected\n")
	assert.Regexp(t, `client: stopped after \d+ sessions\n$`, out)
}

func TestAnInterruptEndsTheProgramWell(t *testing.T) {
	lines := demotest.Interrupt(t, demotest.Program(t), func(string) bool { return true })
	assert.Equal(t, "client: connected", lines[0])
}

func TestTheReadmeShowsWhatTheProgramPrints(t *testing.T) {
	demotest.ReadmeShows(t, story)
}

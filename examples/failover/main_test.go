package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/examples/internal/demotest"
)

func TestMain(m *testing.M) { demotest.Main(m, main) }

func TestTheProgramEndsByItself(t *testing.T) {
	assert.Equal(t, transcript, demotest.Output(t))
}

func TestTheReadmeShowsWhatTheProgramPrints(t *testing.T) {
	demotest.ReadmeShows(t, transcript)
}

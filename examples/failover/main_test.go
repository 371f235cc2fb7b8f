package main

import (
	"testing"

	"darvaza.org/x/net/examples/internal/demotest"
)

func TestMain(m *testing.M) { demotest.Main(m, main) }

func TestTheProgramTellsItsStoryAndTheReadmeShowsIt(t *testing.T) { demotest.Story(t, transcript) }

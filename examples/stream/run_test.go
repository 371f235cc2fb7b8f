package main

import (
	"testing"

	"darvaza.org/x/net/examples/internal/demotest"
)

// transcript is what the program prints.
const transcript = `alice says "hello, is anybody there?"
  alice hears "alice: hello, is anybody there?"
  bob   hears "alice: hello, is anybody there?"
bob says "hello alice"
  alice hears "bob: hello alice"
  bob   hears "bob: hello alice"
bob loses his connection
alice says "you know what?"
  alice hears "alice: you know what?"
alice says "it has begun to snow"
  alice hears "alice: it has begun to snow"
bob is back
  bob   hears "alice: you know what?"
  bob   hears "alice: it has begun to snow"
bob says "I see"
  alice hears "bob: I see"
  bob   hears "bob: I see"
`

func TestAMemberThatWasAwayHearsWhatWasSaidMeanwhile(t *testing.T) {
	demotest.Prints(t, transcript, run)
}

func TestAnInterruptAtAnyLineIsACleanEnd(t *testing.T) {
	demotest.StopAtEveryLine(t, transcript, run)
}

package stdslog_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// asFatal in the environment makes the test binary log at the fatal level.
const asFatal = "STDSLOG_AS_FATAL"

func TestMain(m *testing.M) {
	if os.Getenv(asFatal) != "" {
		printFatal()
		return
	}
	goleak.VerifyTestMain(m)
}

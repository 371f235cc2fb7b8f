package leaktest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"darvaza.org/x/net/scripts/internal/leaktest"
)

// leaving in the environment makes the test leave a goroutine behind.
const leaving = "LEAKTEST_LEAVES_ONE"

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestAGoroutineLeftBehindFailsTheTestsAndIsShown(t *testing.T) {
	if os.Getenv(leaving) != "" {
		go forever()
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), leaving+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "leaktest_test.forever") {
		t.Errorf("got error %v and this:\n%s", err, out)
	}
}

// forever has no end.
func forever() { select {} }

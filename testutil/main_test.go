package testutil_test

import (
	"os"
	"testing"

	"darvaza.org/x/net/testutil"
)

func TestMain(m *testing.M) { os.Exit(testutil.Main(m)) }

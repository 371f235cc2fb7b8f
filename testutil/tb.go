package testutil

// TB is what this package needs of a test. A *testing.T, *testing.B and
// *testing.F have it; to test one's own assertions it is easily faked.
type TB interface {
	// Helper marks the caller as one whose line isn't worth reporting.
	Helper()
	// Name gives the name of the test.
	Name() string
	// Logf adds a line to the log of the test.
	Logf(format string, args ...any)
	// Errorf marks the test as failed and lets it go on.
	Errorf(format string, args ...any)
	// Fatalf marks the test as failed and ends it.
	Fatalf(format string, args ...any)
	// FailNow ends the test as failed without a message.
	FailNow()
	// Cleanup registers a function to be called after the test, last first.
	Cleanup(func())
	// TempDir gives a directory that is removed after the test.
	TempDir() string
}

// skipf ends a test that can't run here. Being skipped isn't part of TB since
// only one function needs it; a TB that can't be skipped fails instead.
func skipf(tb TB, format string, args ...any) {
	tb.Helper()
	if s, ok := tb.(interface{ Skipf(string, ...any) }); ok {
		s.Skipf(format, args...)
		return
	}
	tb.Fatalf(format, args...)
}

//go:build linux || darwin

package testutil_test

import (
	"os"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/testutil"
)

// starve takes all descriptors there are, and gives them back.
func starve(t *testing.T) (release func()) {
	t.Helper()
	var files []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			require.ErrorIs(t, err, syscall.EMFILE)
			break
		}
		files = append(files, f)
	}
	return func() {
		for _, f := range files {
			assert.NoError(t, f.Close())
		}
	}
}

func TestCheckLeaksOfSoMuchThatItCannotBeListed(t *testing.T) {
	n, ok := testutil.OpenDescriptors()
	if !ok {
		t.Skip("this system doesn't list descriptors")
	}
	var old syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old))
	few := old
	few.Cur = min(old.Cur, uint64(n)+50)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few))
	defer func() { assert.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old)) }()

	synctest.Test(t, func(t *testing.T) {
		var release func()
		var fake fakeTB
		fake.run(func(tb testutil.TB) {
			testutil.CheckLeaks(tb)
			release = starve(t)
			_, ok := testutil.OpenDescriptors()
			assert.False(t, ok)
		})
		assert.Contains(t, fake.failures(), syscall.EMFILE.Error())

		var second fakeTB
		second.run(func(tb testutil.TB) {
			testutil.CheckLeaks(tb) // while there is none to list them with
			release()
		})
		assert.Empty(t, second.failures())
	})
}

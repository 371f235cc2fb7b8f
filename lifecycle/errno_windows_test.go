//go:build windows

package lifecycle_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/lifecycle"
)

func TestIsFatalKnowsTheNumbersOfWindows(t *testing.T) {
	for _, errno := range []syscall.Errno{
		10052, 10053, 10054, 10055, 10060, 10061, 10065, 109, 1225, 1236, 2, 3,
	} {
		assert.False(t, lifecycle.IsFatal(errno), "%d", errno)
		assert.False(t, lifecycle.IsFatal(os.NewSyscallError("wsarecv", errno)), "%d", errno)
	}

	assert.True(t, lifecycle.IsFatal(syscall.Errno(5)), "access denied")
	assert.True(t, lifecycle.IsFatal(pathError(syscall.Errno(3))), "a missing directory")
}

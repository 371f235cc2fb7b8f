package dialer

import (
	"os"
	"syscall"
)

// tcpUserTimeout is TCP_USER_TIMEOUT, which package syscall doesn't name on
// every architecture; its value is the same on all.
const tcpUserTimeout = 0x12

func setUserTimeout(fd uintptr, ms int) error {
	tcp, err := isTCP(int(fd))
	if err != nil || !tcp {
		return err
	}
	err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, ms)
	return os.NewSyscallError("setsockopt", err)
}

// isTCP tells a TCP socket from the others by its family and its type.
func isTCP(fd int) (bool, error) {
	domain, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_DOMAIN)
	if err != nil {
		return false, os.NewSyscallError("getsockopt", err)
	}
	kind, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE)
	if err != nil {
		return false, os.NewSyscallError("getsockopt", err)
	}

	internet := domain == syscall.AF_INET || domain == syscall.AF_INET6
	return internet && kind == syscall.SOCK_STREAM, nil
}

//go:build unix

package testutil

import (
	"net"
	"syscall"
)

// shrinkBacklog makes the queue as short as it gets. Listening once more on the
// same socket changes its length; net has no way to ask for it. It is 1 rather
// than 0 because Linux takes 0 for an attack and answers with SYN cookies.
func shrinkBacklog(listener *net.TCPListener) error {
	raw, err := listener.SyscallConn()
	if err != nil {
		return err
	}
	var listenErr error
	if err := raw.Control(func(fd uintptr) { listenErr = syscall.Listen(int(fd), 1) }); err != nil {
		return err
	}
	return listenErr
}

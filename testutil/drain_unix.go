//go:build unix

package testutil

import "syscall"

// maxDrain bounds what drain takes, for peers that send without end. It is more
// than a socket's buffers hold.
const maxDrain = 64 << 20

// drain throws away what a connection has received and nobody has read. It
// neither blocks nor waits for a handler that does.
func drain(conn syscall.Conn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		buf := make([]byte, 64<<10)
		for total := 0; total < maxDrain; {
			n, err := syscall.Read(int(fd), buf)
			if n <= 0 && err != syscall.EINTR {
				return
			}
			total += max(n, 0)
		}
	})
}

package reconnect

import (
	"io"
	"net"
	"syscall"
)

// unixSender returns what has the kernel send a part of f. Package net has it
// for the whole of a file only, which others would have to wait for.
func unixSender(conn *net.UnixConn, f syscall.Conn) func(most int) (int, error) {
	dst, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	src, err := f.SyscallConn()
	if err != nil {
		return nil
	}
	return func(most int) (n int, err error) {
		var failed error
		attempt := func(to uintptr) (done bool) {
			err := src.Control(func(from uintptr) {
				n, done, failed = sendPart(int(to), int(from), n, most)
			})
			if err != nil {
				done, failed = true, err
			}
			return done
		}
		if err := dst.Write(attempt); err != nil {
			return n, err
		}
		return n, failed
	}
}

// sendPart goes on with n of most bytes sent, until that is done or the socket
// has no room.
func sendPart(to, from, n, most int) (sent int, done bool, err error) {
	for n < most {
		m, err := syscall.Sendfile(to, from, nil, most-n)
		n += max(m, 0)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return n, false, nil
		case err != nil:
			return n, true, err
		case m == 0:
			return n, true, io.EOF
		}
	}
	return n, true, nil
}

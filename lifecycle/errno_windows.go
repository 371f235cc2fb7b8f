//go:build windows

package lifecycle

import (
	"syscall"
)

// On Windows package syscall invents numbers for the Unix names, while the
// system reports these. The first block is Winsock, the second Win32, which
// speaks up for named pipes and for sockets driven by overlapped I/O.
var platformErrnos = []error{
	syscall.Errno(10004), // WSAEINTR
	syscall.Errno(10024), // WSAEMFILE
	syscall.Errno(10035), // WSAEWOULDBLOCK
	syscall.Errno(10050), // WSAENETDOWN
	syscall.Errno(10051), // WSAENETUNREACH
	syscall.Errno(10052), // WSAENETRESET
	syscall.Errno(10053), // WSAECONNABORTED
	syscall.Errno(10054), // WSAECONNRESET
	syscall.Errno(10055), // WSAENOBUFS
	syscall.Errno(10057), // WSAENOTCONN
	syscall.Errno(10058), // WSAESHUTDOWN
	syscall.Errno(10060), // WSAETIMEDOUT
	syscall.Errno(10061), // WSAECONNREFUSED
	syscall.Errno(10064), // WSAEHOSTDOWN
	syscall.Errno(10065), // WSAEHOSTUNREACH
	syscall.Errno(10101), // WSAEDISCON

	syscall.Errno(4),    // ERROR_TOO_MANY_OPEN_FILES
	syscall.Errno(64),   // ERROR_NETNAME_DELETED
	syscall.Errno(109),  // ERROR_BROKEN_PIPE
	syscall.Errno(121),  // ERROR_SEM_TIMEOUT
	syscall.Errno(232),  // ERROR_NO_DATA
	syscall.Errno(233),  // ERROR_PIPE_NOT_CONNECTED
	syscall.Errno(1225), // ERROR_CONNECTION_REFUSED
	syscall.Errno(1229), // ERROR_CONNECTION_INVALID
	syscall.Errno(1231), // ERROR_NETWORK_UNREACHABLE
	syscall.Errno(1232), // ERROR_HOST_UNREACHABLE
	syscall.Errno(1234), // ERROR_PORT_UNREACHABLE
	syscall.Errno(1236), // ERROR_CONNECTION_ABORTED
}

var platformAbsences = []error{
	syscall.Errno(2), // ERROR_FILE_NOT_FOUND
	syscall.Errno(3), // ERROR_PATH_NOT_FOUND
}

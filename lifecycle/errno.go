package lifecycle

import (
	"syscall"
)

// errnos are the error numbers that, on their own, speak of a lost connection
// or of a shortage that passes. The platform adds its own.
var errnos = append([]error{
	syscall.ECONNREFUSED,
	syscall.ECONNRESET,
	syscall.ECONNABORTED,
	syscall.EPIPE,
	syscall.ENOTCONN,
	syscall.ESHUTDOWN,
	syscall.ENETDOWN,
	syscall.ENETUNREACH,
	syscall.ENETRESET,
	syscall.EHOSTDOWN,
	syscall.EHOSTUNREACH,
	syscall.ETIMEDOUT,
	syscall.EMFILE,
	syscall.ENFILE,
	syscall.ENOBUFS,
	syscall.EAGAIN,
	syscall.EINTR,
}, platformErrnos...)

// absences are the error numbers of a name that doesn't exist: a Unix socket
// that the server hasn't made yet, unless a file is meant.
var absences = append([]error{
	syscall.ENOENT,
}, platformAbsences...)

// isErrnoLost recognises an error that is, or counts as, an errno which is worth
// another try in this scope.
func (s scope) isErrnoLost(err error) bool {
	if _, ok := err.(syscall.Errno); ok && s == scopeSocket {
		return true
	}
	if matchesAny(err, errnos) {
		return true
	}
	return s != scopeFile && matchesAny(err, absences)
}

func matchesAny(err error, targets []error) bool {
	for _, target := range targets {
		if matches(err, target) {
			return true
		}
	}
	return false
}

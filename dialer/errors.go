package dialer

import "darvaza.org/core"

var (
	// ErrNameEmpty is matched by the error about a Unix socket without a
	// name, as in "unix:" or "@". It matches [core.ErrInvalid].
	ErrNameEmpty = core.QuietWrap(core.ErrInvalid, "dialer: the socket name is empty")

	// ErrNameTooLong is matched by the error about a Unix socket whose name
	// is longer than [MaxUNIXSocketPathLength]. It matches [core.ErrInvalid].
	ErrNameTooLong = core.QuietWrap(core.ErrInvalid, "dialer: the socket name is too long")
)

// badRemote reports what is wrong with a remote; err is the sentinel to match.
func badRemote(err error, remote, format string, args ...any) error {
	args = append([]any{remote}, args...)
	return core.QuietWrap(err, "dialer: remote %q: "+format, args...)
}

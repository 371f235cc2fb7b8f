package dialer

import "strings"

// The networks a remote can be on.
const (
	NetworkTCP  = "tcp"
	NetworkUnix = "unix"
)

// ParseRemote tells which network a remote is on and its address there, ready
// for DialContext. It looks nothing up but the name of a service, dials
// nothing, and may be called from several goroutines at once. The first line
// that fits decides:
//
//	unix:NAME                     unix, NAME; leading slashes become one
//	@NAME                         unix, as it is (abstract on Linux)
//	/NAME                         unix, as it is
//	contains ".sock", and has     unix, as it is
//	a slash or no colon
//	HOST:PORT                     tcp, as it is
//
// The name of a Unix socket is not empty (see [ErrNameEmpty]), holds no NUL,
// and is no longer than the system allows (see [ErrNameTooLong] and
// [MaxUNIXSocketPathLength]). A path that looks like none of the above, say
// C:\run\app.sock, is written with the prefix.
//
// HOST is a name, an IPv4 address, or an IPv6 address in brackets, zones
// allowed. Names may have underscores, letters of any script, and a dot at the
// end. The unspecified address is refused in all its forms: it doesn't name a
// host to connect to. PORT is a number from 1 to 65535, leading zeros allowed,
// or the name of a TCP service that this system knows.
//
// Every error names the remote and the reason, and matches [core.ErrInvalid].
func ParseRemote(remote string) (network, address string, err error) {
	if name, ok := strings.CutPrefix(remote, "unix:"); ok {
		return parseUnix(remote, collapseSlashes(name))
	}
	if isUnixName(remote) {
		return parseUnix(remote, remote)
	}
	return parseTCP(remote)
}

// ValidateRemote returns the error that [ParseRemote] would.
func ValidateRemote(remote string) error {
	_, _, err := ParseRemote(remote)
	return err
}

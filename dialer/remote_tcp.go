package dialer

import (
	"errors"
	"net"

	"darvaza.org/core"
)

const (
	maxPort = 65535

	// Longer than the name of any service there is.
	maxServiceName = 64
)

func parseTCP(remote string) (network, address string, err error) {
	if remote == "" {
		return "", "", badRemote(core.ErrInvalid, remote, "empty")
	}

	host, port, err := net.SplitHostPort(remote)
	if err != nil {
		return "", "", badRemote(core.ErrInvalid, remote, "%s", splitReason(err))
	}

	reason := checkHost(host, remote[0] == '[')
	if reason == "" {
		reason = checkPort(port)
	}
	if reason != "" {
		return "", "", badRemote(core.ErrInvalid, remote, "%s", reason)
	}
	return NetworkTCP, remote, nil
}

// splitReason strips the address, which our own message quotes, off the error
// of [net.SplitHostPort].
func splitReason(err error) string {
	var addrErr *net.AddrError
	if errors.As(err, &addrErr) {
		return addrErr.Err
	}
	return err.Error()
}

// checkPort returns what is wrong with a port, or nothing. Digits are judged
// here, so that only names reach the services of the system: package net
// would take a sign and, for an empty port, zero.
func checkPort(port string) string {
	if port == "" {
		return "the port is empty"
	}

	value, digits := 0, true
	for i := 0; i < len(port); i++ {
		c := port[i]
		switch {
		case isDigit(c):
			// Stop counting above the limit, however many digits follow.
			value = min(value*10+int(c-'0'), maxPort+1)
		case isLetter(c), i > 0 && (c == '-' || c == '_' || c == '.' || c == '+'):
			digits = false
		default:
			return "the port is neither a number nor the name of a service"
		}
	}

	switch {
	case !digits:
		return checkService(port)
	case value < 1 || value > maxPort:
		return "the port is not between 1 and 65535"
	default:
		return ""
	}
}

// checkService asks the system, which reads a file and no network for it.
func checkService(name string) string {
	if len(name) <= maxServiceName {
		if port, err := net.LookupPort(NetworkTCP, name); err == nil && port > 0 {
			return ""
		}
	}
	return "the port is not the name of a TCP service known here"
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

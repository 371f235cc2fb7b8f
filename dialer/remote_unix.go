package dialer

import (
	"strings"

	"darvaza.org/core"
)

// isUnixName recognizes a Unix socket without the prefix.
func isUnixName(s string) bool {
	if s != "" && (s[0] == '@' || s[0] == '/') {
		return true
	}
	return strings.Contains(s, ".sock") &&
		(strings.IndexByte(s, '/') >= 0 || strings.IndexByte(s, ':') < 0)
}

// collapseSlashes leaves one of the slashes that open name, so that
// unix:///run/a.sock reads like a URL.
func collapseSlashes(name string) string {
	for strings.HasPrefix(name, "//") {
		name = name[1:]
	}
	return name
}

func parseUnix(remote, name string) (network, address string, err error) {
	length := len(name)
	if abstractNames && strings.HasPrefix(name, "@") {
		length--
	}

	switch {
	case name == "" || name == "@":
		return "", "", badRemote(ErrNameEmpty, remote, "the socket name is empty")
	case strings.IndexByte(name, 0) >= 0:
		return "", "", badRemote(core.ErrInvalid, remote, "the socket name holds a NUL")
	case length > MaxUNIXSocketPathLength:
		return "", "", badRemote(ErrNameTooLong, remote, "the socket name has %d bytes, more than %d",
			length, MaxUNIXSocketPathLength)
	}
	return NetworkUnix, name, nil
}

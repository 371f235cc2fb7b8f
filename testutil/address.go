package testutil

import (
	"fmt"
	"os"
	"path/filepath"

	"darvaza.org/core"
)

// maxSocketPath is a length every platform takes as the path of a socket; the
// shortest limit among them is 103.
const maxSocketPath = 100

// listenAddress fills in an empty address. For a Unix socket that makes a
// directory, which the caller has to remove.
func listenAddress(network, address string) (addr, dir string, err error) {
	switch network {
	case "tcp", "tcp4":
		if address == "" {
			address = "127.0.0.1:0"
		}
	case "tcp6":
		if address == "" {
			address = "[::1]:0"
		}
	case "unix":
		if address == "" {
			return socketPath()
		}
	default:
		return "", "", fmt.Errorf("testutil: network %q is none of tcp, tcp4, tcp6, unix: %w",
			network, core.ErrInvalid)
	}
	return address, "", nil
}

// socketPath makes a directory for one socket. It is not the test's own, whose
// path holds the name of the test and so easily gets too long; where even the
// system's directory for temporary files is too deep, /tmp has to do.
func socketPath() (path, dir string, err error) {
	for _, parent := range []string{"", "/tmp"} {
		if dir, err = os.MkdirTemp(parent, "net"); err != nil {
			return "", "", fmt.Errorf("testutil: directory for a socket: %w", err)
		}
		if path = filepath.Join(dir, "s.sock"); len(path) <= maxSocketPath {
			return path, dir, nil
		}
		_ = removeDir(dir)
	}
	return "", "", fmt.Errorf("testutil: socket %q: path too long: %w", path, core.ErrInvalid)
}

// removeDir removes what socketPath made; "" is nothing to remove.
func removeDir(dir string) error {
	if dir == "" {
		return nil
	}
	return os.RemoveAll(dir)
}

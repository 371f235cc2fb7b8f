package dialer

import (
	"net"

	"darvaza.org/core"
)

func parseTCP(remote string) (network, address string, err error) {
	if _, _, err := net.SplitHostPort(remote); err != nil {
		return "", "", badRemote(core.ErrInvalid, remote, "%v", err)
	}
	return NetworkTCP, remote, nil
}

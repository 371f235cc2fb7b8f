package clientmetrics_test

import (
	"context"
	"net"

	"darvaza.org/x/net/testutil"
)

// refusing is a network without any server.
type refusing struct{}

func (refusing) DialContext(_ context.Context, network, address string) (net.Conn, error) {
	return nil, testutil.ConnRefused(network, address)
}

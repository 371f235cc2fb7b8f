package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/net/proxy"

	"darvaza.org/core"

	"darvaza.org/x/net/reconnect"
)

var errNoContext = errors.New("the proxy's dialer takes no context")

// A via dials through a proxy.
//
// A proxy that can't reach the server says so in its own words, and the client,
// who knows no such error, would stop. So what fails here is marked as worth
// another try.
type via struct {
	proxy proxy.ContextDialer
}

// newVia makes a dialer for cfg that goes through the SOCKS5 proxy at address.
// The proxy itself is dialled with the keep-alive and the OnSocket of cfg; the
// dial timeout reaches all of it by the context.
func newVia(cfg *reconnect.Config, address string) (*via, error) {
	direct := cfg.ExportDialer()
	dialer, err := proxy.SOCKS5("tcp", address, nil, &direct)
	if err != nil {
		return nil, err
	}
	withContext, ok := dialer.(proxy.ContextDialer)
	if !ok {
		return nil, fmt.Errorf("%w: %T", errNoContext, dialer)
	}
	return &via{proxy: withContext}, nil
}

// DialContext has the proxy connect to address. Names are looked up there, not
// here.
func (v *via) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := v.proxy.DialContext(ctx, network, address)
	if err != nil {
		return nil, core.NewTemporaryError(err)
	}
	return conn, nil
}

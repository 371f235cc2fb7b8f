package dialer

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"reflect"
	"strings"
	"time"

	"darvaza.org/core"
)

// WithTLS returns a dialer whose connections are opened by d and then go
// through the handshake of a TLS client; what DialContext returns is a
// [*tls.Conn] that has completed it.
//
// The timeout bounds all of it: the look-up, the dial, the handshake. Zero
// means 2 seconds, a negative value no bound. Those of ctx and of d hold besides:
// a d made by [New] has 2 seconds for its part unless told otherwise.
//
// cfg is copied, and a nil one is as good as an empty one. TLS 1.2 is the
// oldest version accepted, 1.3 with Encrypted Client Hello, whatever
// cfg.MinVersion says. Where cfg.ServerName is empty, the host of the address on a TCP
// network takes its place. Other networks have no host: there the server's name
// has to be set, unless cfg.InsecureSkipVerify gives up on verifying it, or
// DialContext returns an error that matches [core.ErrInvalid] and dials nothing.
//
// A failed handshake closes the connection. Its error names the address, and
// its cause can be matched: a [*tls.CertificateVerificationError], a
// [crypto/x509.HostnameError], [context.DeadlineExceeded] after the timeout. A
// panic in d or in a callback of cfg becomes a [darvaza.org/core.PanicError].
// Errors of d are passed on as they are, and so is the nil connection without
// an error that a faulty d may return; a nil pointer counts as one. A connection
// that comes with an error is closed.
//
// The dialer may be used by any number of goroutines at once if d may.
func WithTLS(d Dialer, cfg *tls.Config, timeout time.Duration) Dialer {
	if cfg == nil {
		cfg = new(tls.Config)
	}
	cfg = cfg.Clone()
	floor := uint16(tls.VersionTLS12)
	if cfg.EncryptedClientHelloConfigList != nil {
		floor = tls.VersionTLS13 // or crypto/tls refuses it
	}
	cfg.MinVersion = max(cfg.MinVersion, floor)

	return &tlsDialer{
		dialer:  d,
		config:  cfg,
		timeout: orDefault(timeout, defaultTimeout),
	}
}

// tlsDialer runs TLS over another dialer. Nothing in it changes.
type tlsDialer struct {
	dialer  Dialer
	config  *tls.Config
	timeout time.Duration
}

// DialContext implements [Dialer].
func (d *tlsDialer) DialContext(ctx context.Context, network, address string) (conn net.Conn, err error) {
	cfg, err := d.configFor(network, address)
	if err != nil {
		return nil, err
	}

	if d.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.timeout)
		defer cancel()
	}

	// Deferred calls run last to first: the socket is closed before the
	// panic is caught, and closed also when runtime.Goexit unwinds this call.
	defer func() {
		if rvr := recover(); rvr != nil {
			conn, err = nil, asPanicError(rvr)
		}
	}()

	raw, err := d.dialer.DialContext(ctx, network, address)
	if isNil(raw) {
		return nil, err
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	secured := false
	defer func() {
		if !secured {
			_ = raw.Close()
		}
	}()

	secure := tls.Client(raw, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("dialer: TLS handshake with %s: %w", address, err)
	}
	secured = true
	return secure, nil
}

// isNil tells if there is no connection, which a nil pointer isn't either.
func isNil(conn net.Conn) bool {
	v := reflect.ValueOf(conn)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// configFor completes the configuration with the name of the server.
func (d *tlsDialer) configFor(network, address string) (*tls.Config, error) {
	if d.dialer == nil {
		return nil, core.QuietWrap(core.ErrInvalid, "dialer: dial %s %s: there is no dialer to run TLS over", network, address)
	}
	if d.config.ServerName != "" {
		return d.config, nil
	}

	name := serverName(network, address)
	switch {
	case name != "":
		cfg := d.config.Clone()
		cfg.ServerName = name
		return cfg, nil
	case d.config.InsecureSkipVerify:
		return d.config, nil
	default:
		return nil, core.QuietWrap(core.ErrInvalid,
			"dialer: TLS with %s %s: the address has no host to verify, ServerName must be set", network, address)
	}
}

// serverName returns the host of a TCP address, which for IPv6 comes without
// brackets and zone: certificates have neither.
func serverName(network, address string) string {
	if !strings.HasPrefix(network, NetworkTCP) {
		return ""
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	host, _, _ = strings.Cut(host, "%")
	return host
}

package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"
)

// patience is how long the server waits for a handshake.
const patience = 5 * time.Second

// A host is the server: it greets clients by the name in their certificate, and
// answers what they ask.
type host struct {
	config *tls.Config
}

// newHost makes a host that shows the certificate in own, and lets those in whose
// certificate comes from one of roots.
func newHost(roots *x509.CertPool, own *keeper) *host {
	return &host{config: &tls.Config{
		ClientAuth:     tls.RequireAndVerifyClientCert,
		ClientCAs:      roots,
		GetCertificate: own.forClient,
	}}
}

// serve talks to one client for as long as it stays.
func (h *host) serve(conn net.Conn) {
	secure := tls.Server(conn, h.config)
	defer func() { _ = secure.Close() }()

	_ = secure.SetDeadline(time.Now().Add(patience))
	if err := secure.Handshake(); err != nil {
		return
	}
	_ = secure.SetDeadline(time.Time{})

	client := secure.ConnectionState().PeerCertificates[0].Subject.CommonName
	_, err := fmt.Fprintf(secure, "hello, %s\n", client)
	for lines := bufio.NewScanner(secure); err == nil && lines.Scan(); {
		_, err = fmt.Fprintf(secure, "%s? yes, %s\n", lines.Text(), client)
	}
}

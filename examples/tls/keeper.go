package main

import (
	"crypto/tls"
	"sync/atomic"
)

// A keeper has the certificate of the day. A program that gets its certificates
// as files would read them again now and then, and put them here.
type keeper struct {
	current atomic.Pointer[tls.Certificate]
}

// replace makes cert the one for all connections from now on.
func (k *keeper) replace(cert *tls.Certificate) {
	k.current.Store(cert)
}

// forClient is a tls.Config.GetCertificate.
func (k *keeper) forClient(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return k.current.Load(), nil
}

// forServer is a tls.Config.GetClientCertificate.
func (k *keeper) forServer(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return k.current.Load(), nil
}

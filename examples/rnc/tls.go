package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"darvaza.org/x/net/reconnect"
)

// tlsOptions are the options about TLS.
type tlsOptions struct {
	on            bool
	ca, cert, key string // names of files
	serverName    string
	insecure      bool
}

// check refuses options that would have no effect: whoever gives them must not
// get a connection in the clear.
func (o *tlsOptions) check(network string) error {
	if !o.on {
		for _, f := range []struct {
			name  string
			given bool
		}{
			{"ca", o.ca != ""},
			{"cert", o.cert != ""},
			{"key", o.key != ""},
			{"servername", o.serverName != ""},
			{"insecure", o.insecure},
		} {
			if f.given {
				return fmt.Errorf("-%s needs -tls", f.name)
			}
		}
	}
	switch {
	case o.key != "" && o.cert == "":
		return errors.New("-key needs -cert")
	case o.on && network == reconnect.NetworkUnix && o.serverName == "" && !o.insecure:
		return errors.New("-tls needs -servername for a Unix socket")
	}
	return nil
}

// config reads the files. It returns nil without -tls.
func (o *tlsOptions) config() (*tls.Config, error) {
	if !o.on {
		return nil, nil
	}
	cfg := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         o.serverName,
		InsecureSkipVerify: o.insecure, // asked for by -insecure
	}
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, fmt.Errorf("-ca: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("-ca: %s: no certificate in PEM format", o.ca)
		}
	}
	if o.cert != "" {
		key := o.key
		if key == "" {
			key = o.cert
		}
		pair, err := tls.LoadX509KeyPair(o.cert, key)
		if err != nil {
			return nil, fmt.Errorf("-cert: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

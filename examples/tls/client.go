package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"darvaza.org/x/net/reconnect"
)

// goodbye is how long the client may take for its end.
const goodbye = 5 * time.Second

var errNoTLS = errors.New("the connection isn't one of TLS")

// A visitor is the client's side: it passes on what the server says, and what
// the server's certificate says about the server.
type visitor struct {
	client *reconnect.Client
	heard  chan string

	server string // the callbacks' own: the name in the server's certificate
}

// newVisitor makes a client that shows the certificate in own, and believes
// servers whose certificate comes from one of roots. It ends when ctx does.
func newVisitor(ctx context.Context, remote string, roots *x509.CertPool, own *keeper) (*visitor, error) {
	v := &visitor{heard: make(chan string)}
	var err error
	v.client, err = reconnect.New(&reconnect.Config{
		Context: ctx,
		Remote:  remote,
		TLSConfig: &tls.Config{
			RootCAs: roots,
			// Asked anew for each connection, unlike Certificates. The name of
			// the server is taken from the remote.
			GetClientCertificate: own.forServer,
		},
		ReadTimeout:   -1, // the server may be silent for as long as it likes
		WaitReconnect: reconnect.NewExponentialWaiter(10*time.Millisecond, time.Second),
		OnConnect:     v.look,
		OnSession:     v.session,
	})
	return v, err
}

// look sees a connection whose handshake is done and whose server is verified.
func (v *visitor) look(_ context.Context, conn net.Conn) error {
	secure, ok := conn.(*tls.Conn)
	if !ok {
		return errNoTLS
	}
	v.server = secure.ConnectionState().PeerCertificates[0].Subject.CommonName
	return nil
}

func (v *visitor) session(ctx context.Context) error {
	lines := bufio.NewScanner(v.client)
	for lines.Scan() {
		select {
		case v.heard <- fmt.Sprintf("%s says: %s", v.server, lines.Text()):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return lines.Err()
}

// next waits for the next thing that the server says. When the client stops, the
// error is why.
func (v *visitor) next() (string, error) {
	ctx := v.client.Context()
	select {
	case line := <-v.heard:
		return line, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// ask sends a line. When the client stops, the error is why.
func (v *visitor) ask(line string) error {
	_, err := io.WriteString(v.client, line+"\n")
	if ctx := v.client.Context(); err != nil && ctx.Err() != nil {
		return context.Cause(ctx) // what Write says is that there is no connection
	}
	return err
}

// shutdown stops the client, unless it has stopped already, and gives the
// reason of its end.
func (v *visitor) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return v.client.Shutdown(ctx)
}

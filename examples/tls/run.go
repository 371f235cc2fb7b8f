package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"darvaza.org/x/net/testutil"
)

// A scene is what the story needs.
type scene struct {
	*authority
	server, client keeper
	visitor        *visitor
	say            func(format string, args ...any)
}

// run plays the story: a session, a rotation, a session, a stranger. It ends
// early, with an error that matches context.Canceled, when ctx does.
func run(ctx context.Context, out io.Writer) (err error) {
	s := &scene{say: func(format string, args ...any) {
		_, _ = fmt.Fprintf(out, format+"\n", args...)
	}}
	if s.authority, err = newAuthority("our authority"); err != nil {
		return err
	}
	if err := s.rotate(1); err != nil {
		return err
	}

	server, err := testutil.StartServer("tcp", "", newHost(s.pool(), &s.server).serve)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	s.visitor, err = newVisitor(ctx, server.Remote(), s.pool(), &s.client)
	if err != nil {
		return err
	}
	defer func() {
		if reason := s.visitor.shutdown(); !isStranger(reason) {
			err = cmp.Or(err, reason)
		}
	}()
	if err := s.visitor.client.Connect(); err != nil {
		return err
	}
	if err := s.rotation(); err != nil {
		return err
	}
	return s.stranger()
}

// rotation has two sessions, and new certificates in between.
func (s *scene) rotation() error {
	if err := s.hear(); err != nil {
		return err
	}
	s.say("rotation: new certificates for both sides")
	if err := s.rotate(2); err != nil {
		return err
	}
	if err := s.visitor.ask("still there"); err != nil {
		return err
	}
	if err := s.hear(); err != nil {
		return err
	}

	s.say("client: asked to reconnect")
	if err := s.visitor.client.Reconnect(); err != nil {
		return err
	}
	return s.hear()
}

// stranger has the server show a certificate that the client doesn't believe.
// Trying again wouldn't help, so the client stops.
func (s *scene) stranger() error {
	s.say("server: shows the certificate of an authority that nobody knows")
	other, err := newAuthority("another authority")
	if err != nil {
		return err
	}
	cert, err := other.issueServer("stranger")
	if err != nil {
		return err
	}
	s.server.replace(cert)
	if err := s.visitor.client.Reconnect(); err != nil {
		return err
	}
	err = s.hear()
	if !isStranger(err) {
		return cmp.Or(err, errors.New("the client believes a stranger"))
	}
	s.say("client: stops, since it can't verify the server")
	return nil
}

// hear waits for the server and shows what it says.
func (s *scene) hear() error {
	line, err := s.visitor.next()
	if err == nil {
		s.say("client: %s", line)
	}
	return err
}

// rotate issues the n-th certificates.
func (s *scene) rotate(n int) error {
	server, err := s.issueServer(fmt.Sprintf("server #%d", n))
	if err != nil {
		return err
	}
	client, err := s.issueClient(fmt.Sprintf("client #%d", n))
	if err != nil {
		return err
	}
	s.server.replace(server)
	s.client.replace(client)
	return nil
}

// isStranger tells if a certificate comes from nobody that one believes.
func isStranger(err error) bool {
	var unknown x509.UnknownAuthorityError
	return errors.As(err, &unknown)
}

package dialer_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/dialer"
)

func TestWithTLSClosesAConnectionThatComesWithAnError(t *testing.T) {
	boom := errors.New("boom")
	client, server := net.Pipe()
	d := dialer.WithTLS(dialer.Func(func(context.Context, string, string) (net.Conn, error) {
		return client, boom
	}), nil, 0)

	conn, err := d.DialContext(t.Context(), "tcp", "server.test:443")
	require.Nil(t, conn)
	require.ErrorIs(t, err, boom)
	_, err = server.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestWithTLSTakesANilPointerForNoConnection(t *testing.T) {
	d := dialer.WithTLS(dialer.Func(func(context.Context, string, string) (net.Conn, error) {
		return (*net.TCPConn)(nil), nil
	}), nil, 0)

	conn, err := d.DialContext(t.Context(), "tcp", "server.test:443")
	require.NoError(t, err)
	require.Nil(t, conn)
}

package main

import (
	"bytes"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/proxy"

	"darvaza.org/x/net/examples/internal/demotest"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// transcript is what the program prints.
const transcript = `client: connects to greeter.internal:7 through a proxy
client: hears "welcome, guest 1"
server: stops
client: can't connect, and goes on trying
server: is back
client: hears "welcome, guest 2"
proxy:  stops
client: can't connect, and goes on trying
proxy:  is back
client: hears "welcome, guest 3"
`

func TestTheClientOutlivesTheServerAndTheProxy(t *testing.T) {
	demotest.Prints(t, transcript, run)
}

func TestAnInterruptAtAnyLineIsACleanEnd(t *testing.T) {
	demotest.StopAtEveryLine(t, transcript, run)
}

func TestARefusalOfTheProxyIsWorthAnotherTry(t *testing.T) {
	server := testutil.NewServer(t, "tcp", new(proxyServer).serve)
	dialer, err := newVia(new(reconnect.Config), server.Remote())
	require.NoError(t, err)
	conn, err := dialer.DialContext(t.Context(), "tcp", "elsewhere.internal:7")
	assert.Nil(t, conn)
	assert.ErrorContains(t, err, "elsewhere.internal:7")
	assert.False(t, reconnect.IsFatal(err))

	_, err = dialer.proxy.DialContext(t.Context(), "tcp", "elsewhere.internal:7")
	assert.True(t, reconnect.IsFatal(err), "the mark is of no use any more")
}

func TestAddressesOfEveryKindReachThePlaceTheyNameThroughTheProxy(t *testing.T) {
	g := new(greeter)
	server := testutil.NewServer(t, "tcp", g.serve)
	p := &proxyServer{places: map[string]string{
		"192.0.2.1:7": server.Remote(), "[2001:db8::1]:700": server.Remote(), "a.internal:65535": server.Remote(),
	}}
	front := testutil.NewServer(t, "tcp", p.serve)
	dialer, err := proxy.SOCKS5("tcp", front.Remote(), nil, nil)
	require.NoError(t, err)
	for address := range p.places {
		conn, err := dialer.Dial("tcp", address)
		require.NoError(t, err, address)
		_, err = conn.Read(make([]byte, 1))
		assert.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	assert.EqualValues(t, len(p.places), g.guests.Load())
}

func TestTheProxyRefusesWhatItDoesNotUnderstand(t *testing.T) {
	front := testutil.NewServer(t, "tcp", new(proxyServer).serve)
	refused := func(code byte) string { return string([]byte{5, code, 0, 1, 0, 0, 0, 0, 0, 0}) }
	for name, tc := range map[string]struct{ says, hears string }{
		"another version":          {"\x04\x01", ""},
		"no method that we know":   {"\x05\x02\x01\x02", "\x05\xff"},
		"another version later on": {"\x05\x01\x00\x04\x01\x00\x01", "\x05\x00"},
		"bind":                     {"\x05\x01\x00\x05\x02\x00\x01", "\x05\x00" + refused(replyNoCommand)},
		"an address of no kind":    {"\x05\x01\x00\x05\x01\x00\x02", "\x05\x00" + refused(replyNoAddress)},
		"nowhere we go":            {"\x05\x01\x00\x05\x01\x00\x03\x01a\x00\x07", "\x05\x00" + refused(replyNotAllowed)},
		"a name of nothing":        {"\x05\x01\x00\x05\x01\x00\x03\x00\x00\x07", "\x05\x00" + refused(replyNotAllowed)},
		"half a name":              {"\x05\x01\x00\x05\x01\x00\x03\x09a", "\x05\x00"},
		"nothing at all":           {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", front.Remote())
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			_, err = conn.Write([]byte(tc.says))
			require.NoError(t, err)
			require.NoError(t, conn.(*net.TCPConn).CloseWrite())
			var got bytes.Buffer
			_, err = got.ReadFrom(conn)
			assert.NoError(t, err)
			assert.Equal(t, tc.hears, got.String())
		})
	}
}

package dialer_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/core"
	"darvaza.org/x/net/dialer"
)

func TestParseRemoteFollowsTheTable(t *testing.T) {
	for _, tc := range []struct{ remote, network, address string }{
		{"unix:/run/a.sock", "unix", "/run/a.sock"},
		{"unix:run/a", "unix", "run/a"},
		{"unix:a:b", "unix", "a:b"},
		{"unix:@name", "unix", "@name"},
		{"unix:unix:a", "unix", "unix:a"},
		{`unix:C:\run\app.sock`, "unix", `C:\run\app.sock`},
		{"@name", "unix", "@name"},
		{"@a.sock:443", "unix", "@a.sock:443"},
		{"/", "unix", "/"},
		{"/run/a", "unix", "/run/a"},
		{"/run/a:443", "unix", "/run/a:443"},
		{"//run/a", "unix", "//run/a"},
		{"./app.sock", "unix", "./app.sock"},
		{"run/app.sock", "unix", "run/app.sock"},
		{"app.sock", "unix", "app.sock"},
		{"app.sock.1", "unix", "app.sock.1"},
		{"a:1/app.sock", "unix", "a:1/app.sock"},
		{"foo.sock:443", "tcp", "foo.sock:443"},
		{"example.com:8080", "tcp", "example.com:8080"},
		{"127.0.0.1:1", "tcp", "127.0.0.1:1"},
		{"[::1]:443", "tcp", "[::1]:443"},
		{"unix.example:443", "tcp", "unix.example:443"},
	} {
		network, address, err := dialer.ParseRemote(tc.remote)
		require.NoError(t, err, tc.remote)
		assert.Equal(t, tc.network, network, tc.remote)
		assert.Equal(t, tc.address, address, tc.remote)
		assert.NoError(t, dialer.ValidateRemote(tc.remote))
	}
}

func TestParseRemoteUnixPrefixCollapsesSlashes(t *testing.T) {
	for _, remote := range []string{"unix:/run//a", "unix://run//a", "unix:///run//a", "unix://////run//a"} {
		_, address, err := dialer.ParseRemote(remote)
		require.NoError(t, err)
		assert.Equal(t, "/run//a", address, "only the slashes that open the name collapse: %s", remote)
	}
}

func TestParseRemoteAcceptsTheHostsThatExist(t *testing.T) {
	for _, host := range []string{
		"localhost", "a", "my_service", "_srv._tcp.example", "web-1", "example.com.", "bücher.example",
		"1.2.3.4", "255.255.255.255", "10.1", "0a", "0.example", "0.mx", "0.0.sx", "1.0.0.0", "0.0.0.1", "0x1",
		"[::1]", "[2001:db8::1]", "[fe80::1%eth0]", "[fe80::1%veth0@if3:1]", "[::ffff:1.2.3.4]", "[::0.0.0.1]",
		strings.Repeat("a", 63), strings.Repeat("a.", 126) + "a", strings.Repeat("a.", 126) + "a.",
	} {
		assert.NoError(t, dialer.ValidateRemote(host+":80"), host)
	}
}

func TestParseRemoteRejectsHostsThatCannotBeDialled(t *testing.T) {
	for host, reason := range map[string]string{
		"":                               "the host is empty",
		"[]":                             "the host is empty",
		"[localhost]":                    "not an IPv6 address",
		"[127.0.0.1]":                    "not an IPv6 address",
		"[::1%]":                         "not an IPv6 address",
		"[fe80::1%a b]":                  "zone",
		"[fe80::1%a/b]":                  "zone",
		"[fe80::1%a%b]":                  "zone",
		"[fe80::1%\x00]":                 "zone",
		"[fe80::1%\xff]":                 "zone",
		"a b":                            "character",
		" a":                             "character",
		"a\t":                            "character",
		"a\x00":                          "character",
		"a\x7f":                          "character",
		"a\u00a0b":                       "character",
		"\u0301a":                        "character",
		"０.０.０.０":                        "character",
		"a/b":                            "character",
		"user@a":                         "character",
		"127.0.0.1%lo":                   "character",
		"a\xff":                          "character",
		"http//a":                        "character",
		"*":                              "character",
		".":                              "label",
		"a..b":                           "label",
		".a":                             "label",
		"a..":                            "label",
		strings.Repeat("a", 64):          "63 bytes",
		strings.Repeat("a.", 126) + "aa": "253 bytes",
		"1.2.3.256":                      "not an IPv4 address",
		"1.2.3.04":                       "not an IPv4 address",
		"1.2.3.4.5":                      "not an IPv4 address",
	} {
		assertRejected(t, host+":80", reason)
	}
}

func TestParseRemoteRejectsTheUnspecifiedAddress(t *testing.T) {
	for _, host := range []string{
		"0.0.0.0", "0", "00", "0.0", "0x0", "0X00.0", "000.0.0.00", "0.0.0.0.",
		"[::]", "[::0]", "[0:0:0:0:0:0:0:0]", "[0000::]", "[::0.0.0.0]", "[::%eth0]",
		"[::ffff:0.0.0.0]", "[::ffff:0:0]", "[0:0::ffff:0000:0]",
	} {
		assertRejected(t, host+":80", "the host is the unspecified address")
	}
}

func TestParseRemoteRejectsBrokenHostPorts(t *testing.T) {
	for remote, reason := range map[string]string{
		"":                  "empty",
		"example.com":       "missing port in address",
		"::1":               "too many colons",
		"::":                "too many colons",
		"::1:80":            "too many colons",
		"a:b:80":            "too many colons",
		"http://a:80":       "too many colons",
		"[::1]":             "missing port in address",
		"[::1":              "missing ']'",
		"[::1:80":           "missing ']'",
		"[::1]80":           "missing port in address",
		"[::1]:80:90":       "too many colons",
		"[[::1]]:80":        "missing port",
		"a[b]:80":           "unexpected '['",
		"a]:80":             "unexpected ']'",
		"UNIX:/run/a":       "port",
		"Unix:a":            "port",
		`C:\run\app.socket`: "port",
	} {
		assertRejected(t, remote, reason)
	}
}

func TestParseRemoteTakesPortsInDigitsOrByName(t *testing.T) {
	for _, port := range []string{"1", "80", "65535", "0080", "0000000065535", "https", "HTTPS", "http", "ssh"} {
		assert.NoError(t, dialer.ValidateRemote("a:"+port), port)
	}

	// Half of the remote looks like a socket, which must not save it.
	for _, port := range []string{
		"", "0", "00000", "65536", "99999", "4294967376", "18446744073709551696", "-1", "+80", " 80", "80 ", "8 0", "0x50",
		"80x", "8_0", "８０", "\x00", "-http", "+http", "no-such-service", strings.Repeat("9", 1000),
		strings.Repeat("a", 1000), "a" + strings.Repeat("\x00", 10),
	} {
		assertRejected(t, "foo.sock:"+port, "port")
	}
}

func TestParseRemoteRejectsEmptySocketNames(t *testing.T) {
	for _, remote := range []string{"unix:", "unix:@", "@"} {
		assertRejected(t, remote, "the socket name is empty")
		assert.ErrorIs(t, dialer.ValidateRemote(remote), dialer.ErrNameEmpty)
	}
	assert.ErrorIs(t, dialer.ErrNameEmpty, core.ErrInvalid)
	assert.NotErrorIs(t, dialer.ValidateRemote(""), dialer.ErrNameEmpty)
}

func TestParseRemoteRejectsLongSocketNames(t *testing.T) {
	longest := "/" + strings.Repeat("a", dialer.MaxUNIXSocketPathLength-1)
	for _, prefix := range []string{"", "unix:", "unix://"} {
		assert.NoError(t, dialer.ValidateRemote(prefix+longest))
		assertRejected(t, prefix+longest+"a", "more than")
		assert.ErrorIs(t, dialer.ValidateRemote(prefix+longest+"a"), dialer.ErrNameTooLong)
	}
	assert.ErrorIs(t, dialer.ErrNameTooLong, core.ErrInvalid)
	assert.NotErrorIs(t, dialer.ErrNameTooLong, dialer.ErrNameEmpty)
}

func TestParseRemoteLimitIsThatOfTheSystem(t *testing.T) {
	// Binding a relative name of the longest kind has to work, one byte more must not.
	t.Chdir(t.TempDir())
	longest := strings.Repeat("a", dialer.MaxUNIXSocketPathLength)

	ln, err := net.Listen("unix", longest)
	if err != nil {
		t.Skip("no Unix sockets in this file system:", err)
	}
	assert.NoError(t, ln.Close())

	_, err = net.Listen("unix", longest+"a")
	assert.Error(t, err)
}

func TestParseRemoteRejectsNULInSocketNames(t *testing.T) {
	for _, remote := range []string{"unix:a\x00", "@\x00", "@a\x00b", "/a\x00", "a\x00.sock", "unix:\x00a"} {
		assertRejected(t, remote, "NUL")
	}
}

func TestEveryRejectionOfParseRemoteNamesTheRemoteAndTheReason(t *testing.T) {
	tooLong := "/" + strings.Repeat("a", dialer.MaxUNIXSocketPathLength)
	for remote, reason := range map[string]string{
		"":              "empty",
		"a":             "missing port in address",
		"a:":            "the port is empty",
		"a:0":           "the port is not between 1 and 65535",
		"a: 1":          "the port is neither a number nor the name of a service",
		"a:no-such":     "the port is not the name of a TCP service known here",
		":80":           "the host is empty",
		"0.0.0.0:80":    "the host is the unspecified address",
		"[::]:80":       "the host is the unspecified address",
		"[a]:80":        "what stands in brackets is not an IPv6 address",
		"[::1%a b]:80":  "the zone of the host holds a character that no zone has",
		"a b:80":        "the host holds a character that no host name has",
		"a..b:80":       "a label of the host name is empty",
		"1.2.3.4.5:80":  "the host is not an IPv4 address",
		"unix:":         "the socket name is empty",
		"@\x00\xff\n\"": "the socket name holds a NUL",
		tooLong: fmt.Sprintf("the socket name has %d bytes, more than %d",
			len(tooLong), dialer.MaxUNIXSocketPathLength),
		strings.Repeat("a", 64) + ":80":          "a label of the host name has more than 63 bytes",
		strings.Repeat("a.", 126) + "aa" + ":80": "the host name has more than 253 bytes",
	} {
		_, _, err := dialer.ParseRemote(remote)
		assert.EqualError(t, err, "dialer: remote "+quoted(remote)+": "+reason)
		assert.ErrorIs(t, err, core.ErrInvalid)
		assert.Equal(t, err, dialer.ValidateRemote(remote))
	}
}

func TestParseRemoteAllocatesNothing(t *testing.T) {
	for _, remote := range cheapRemotes {
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _, _ = dialer.ParseRemote(remote) }), remote)
	}
}

var cheapRemotes = []string{"example.com:8080", "/run/a.sock", "[::1]:443", "unix:///run/a.sock", "127.0.0.1:80", "app.sock"}

func assertRejected(t *testing.T, remote, reason string) {
	t.Helper()

	network, address, err := dialer.ParseRemote(remote)
	if !assert.Error(t, err, "%q", remote) {
		return
	}
	assert.Empty(t, network)
	assert.Empty(t, address)
	assert.ErrorIs(t, err, core.ErrInvalid)
	assert.ErrorContains(t, err, reason)
	assert.ErrorContains(t, err, "dialer: remote "+quoted(remote))
}

func BenchmarkParseRemote(b *testing.B) {
	for _, remote := range cheapRemotes {
		b.Run(strings.ReplaceAll(remote, "/", "|"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := dialer.ParseRemote(remote); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

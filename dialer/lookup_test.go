package dialer

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a resolver makes of a hosts file can't be had through a fake one.
func TestFamiliesTakeTurnsWhereIPv4ComesMappedIntoIPv6(t *testing.T) {
	addrs := func(texts ...string) []netip.Addr {
		list := make([]netip.Addr, len(texts))
		for i, text := range texts {
			list[i] = netip.MustParseAddr(text)
		}
		return list
	}
	assert.Equal(t,
		addrs("127.0.0.1", "::1", "127.0.0.2"),
		interleave(addrs("::ffff:127.0.0.1", "::ffff:127.0.0.2", "127.0.0.1", "::1")))
}

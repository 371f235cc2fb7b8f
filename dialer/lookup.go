package dialer

import (
	"context"
	"net"
	"net/netip"
	"strings"
)

// lookup returns the addresses to try, in order; there is at least one if
// there is no error.
func (d *eyeballs) lookup(ctx context.Context, network, host, port string) ([]netip.AddrPort, error) {
	resolver := d.cfg.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}

	portNumber, err := resolver.LookupPort(ctx, network, port)
	if err != nil {
		return nil, err
	}
	// tcp, tcp4, tcp6 → ip, ip4, ip6
	family := "ip" + strings.TrimPrefix(network, "tcp")
	addrs, err := resolver.LookupNetIP(ctx, family, host)
	if err != nil {
		return nil, err
	}

	addrs = interleave(addrs)
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	targets := make([]netip.AddrPort, len(addrs))
	for i, addr := range addrs {
		targets[i] = netip.AddrPortFrom(addr, uint16(portNumber))
	}
	return targets, nil
}

// interleave lets the two families take turns, beginning with that of the
// first address, and drops duplicates. Within a family the order stays: the
// resolver has sorted it by what is likely to work.
func interleave(addrs []netip.Addr) []netip.Addr {
	var first, second []netip.Addr
	seen := make(map[netip.Addr]struct{}, len(addrs))

	for _, addr := range addrs {
		addr = addr.Unmap()
		if _, dup := seen[addr]; dup {
			continue
		}
		seen[addr] = struct{}{}

		if len(first) == 0 || addr.Is4() == first[0].Is4() {
			first = append(first, addr)
		} else {
			second = append(second, addr)
		}
	}

	mixed := make([]netip.Addr, 0, len(seen))
	for i := range max(len(first), len(second)) {
		if i < len(first) {
			mixed = append(mixed, first[i])
		}
		if i < len(second) {
			mixed = append(mixed, second[i])
		}
	}
	return mixed
}

package dialer

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of the domain name system, in bytes; the dot at the end of a
// rooted name is not counted.
const (
	maxHostName  = 253
	maxHostLabel = 63
)

// checkHost returns what is wrong with a host, or nothing.
func checkHost(host string, bracketed bool) string {
	switch {
	case host == "":
		return "the host is empty"
	case bracketed:
		return checkIPv6(host)
	case isZeroIPv4(host):
		return reasonUnspecified
	default:
		return checkName(host)
	}
}

const reasonUnspecified = "the host is the unspecified address"

// checkIPv6 judges what stands in the brackets.
func checkIPv6(host string) string {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil || !addr.Is6():
		return "what stands in brackets is not an IPv6 address"
	case addr.WithZone("").Unmap().IsUnspecified():
		return reasonUnspecified
	case strings.IndexFunc(addr.Zone(), notInZone) >= 0:
		return "the zone of the host holds a character that no zone has"
	default:
		return ""
	}
}

// notInZone is generous: the name of an interface may be nearly anything.
func notInZone(r rune) bool {
	return r == '/' || r == '%' || r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r)
}

// isZeroIPv4 recognizes the unspecified IPv4 address in the spellings of the
// C library too, which looks names up on most systems: 0, 0.0, 0x0, 00.
func isZeroIPv4(host string) bool {
	if host[0] != '0' {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if strings.HasPrefix(label, "0x") || strings.HasPrefix(label, "0X") {
			label = label[2:]
		}
		if strings.Trim(label, "0") != "" {
			return false
		}
	}
	return true
}

// checkName judges a host name or an IPv4 address. It asks no more than that a
// name can be looked up: underscores are common in the names of containers,
// and some systems take letters of any script.
func checkName(host string) string {
	name := strings.TrimSuffix(host, ".")
	if len(name) > maxHostName {
		return "the host name has more than 253 bytes"
	}

	label, dots, numeric := 0, 0, true
	for i, r := range name {
		switch {
		case r == '.':
			if label == 0 {
				return reasonEmptyLabel
			}
			label, dots = 0, dots+1
			continue
		case r < utf8.RuneSelf && isDigit(byte(r)):
		case r == '-', r == '_', r < utf8.RuneSelf && isLetter(byte(r)):
			numeric = false
		case r >= utf8.RuneSelf && (unicode.IsLetter(r) || i > 0 && unicode.IsMark(r)):
			numeric = false
		default:
			return "the host holds a character that no host name has"
		}
		if label += utf8.RuneLen(r); label > maxHostLabel {
			return "a label of the host name has more than 63 bytes"
		}
	}

	if label == 0 {
		return reasonEmptyLabel
	}
	if numeric && dots >= 3 {
		// Nothing else than an address looks like that.
		if _, err := netip.ParseAddr(host); err != nil {
			return "the host is not an IPv4 address"
		}
	}
	return ""
}

const reasonEmptyLabel = "a label of the host name is empty"

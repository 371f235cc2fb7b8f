package dialer_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// names is what a fake name server knows: the addresses of each name, written
// without the dot at the end.
type names map[string][]string

// newResolver starts a name server on a loopback socket and returns a
// resolver that asks it alone. Names it doesn't know don't exist; about
// "silent.test" it says nothing.
func newResolver(t testing.TB, known names) *net.Resolver {
	t.Helper()

	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)

	var (
		mu    sync.Mutex // guards the fields below
		conns []net.Conn
	)
	var wg sync.WaitGroup
	wg.Go(func() {
		query := make([]byte, 4096)
		for {
			n, peer, err := pc.ReadFrom(query)
			if err != nil {
				return
			}
			if reply := answer(known, query[:n]); reply != nil {
				_, _ = pc.WriteTo(reply, peer)
			}
		}
	})
	t.Cleanup(func() {
		_ = pc.Close()
		wg.Wait()

		// The resolver leaves a look-up that was cut short waiting for its
		// reply, for seconds.
		mu.Lock()
		defer mu.Unlock()
		for _, conn := range conns {
			_ = conn.Close()
		}
	})

	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			conn, err := d.DialContext(ctx, "udp", pc.LocalAddr().String())
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				conns = append(conns, conn)
			}
			return conn, err
		},
	}
}

const (
	typeA    = 1
	typeAAAA = 28

	headerSize  = 12
	noSuchName  = 3
	compression = 0xc000 | headerSize // a pointer to the name in the question
)

// answer builds the reply to a query (RFC 1035), or nil for silence.
func answer(known names, query []byte) []byte {
	if len(query) < headerSize {
		return nil
	}

	// The question: labels, each with its length in front, then type and class.
	var labels []string
	at := headerSize
	for at < len(query) && query[at] != 0 {
		end := at + 1 + int(query[at])
		if end >= len(query) {
			return nil
		}
		labels = append(labels, string(query[at+1:end]))
		at = end
	}
	end := at + 5
	if end > len(query) {
		return nil
	}
	name := strings.Join(labels, ".")
	kind := binary.BigEndian.Uint16(query[at+1:])
	if name == "silent.test" {
		return nil
	}

	var count uint16
	var records []byte
	addrs, ok := known[name]
	for _, s := range addrs {
		addr := netip.MustParseAddr(s)
		if addr.Is4() != (kind == typeA) || addr.Is6() != (kind == typeAAAA) {
			continue
		}
		count++
		records = binary.BigEndian.AppendUint16(records, compression)
		records = binary.BigEndian.AppendUint16(records, kind)
		records = binary.BigEndian.AppendUint16(records, 1)  // internet
		records = binary.BigEndian.AppendUint32(records, 60) // seconds to live
		records = binary.BigEndian.AppendUint16(records, uint16(addr.BitLen()/8))
		records = append(records, addr.AsSlice()...)
	}

	flags := uint16(0x8180) // a reply, recursion desired and available
	if !ok {
		flags |= noSuchName
	}
	reply := append([]byte(nil), query[:2]...)
	reply = binary.BigEndian.AppendUint16(reply, flags)
	reply = binary.BigEndian.AppendUint16(reply, 1)
	reply = binary.BigEndian.AppendUint16(reply, count)
	reply = binary.BigEndian.AppendUint32(reply, 0)
	reply = append(reply, query[headerSize:end]...)
	return append(reply, records...)
}

package dialer_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// names is what a fake name server knows: the addresses of each name, written
// without the dot at the end.
type names map[string][]string

// newResolver returns a resolver that asks a name server in memory, and that
// alone, so it works in bubbles of synctest too (see [inBubble]). Names it
// doesn't know don't exist; about "silent.test" it says nothing.
func newResolver(t testing.TB, known names) *net.Resolver {
	t.Helper()

	var (
		wg sync.WaitGroup

		mu    sync.Mutex // guards the fields below
		conns []net.Conn
		ended bool
	)
	t.Cleanup(func() {
		// The resolver leaves a look-up that was cut short waiting for its
		// reply, for seconds.
		mu.Lock()
		ended = true
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})

	return &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			mu.Lock()
			defer mu.Unlock()
			if ended {
				return nil, net.ErrClosed
			}
			conns = append(conns, far)
			wg.Go(func() { serveNames(far, known) })
			return near, nil
		},
	}
}

// serveNames answers the queries that come over a stream, each with its length
// in front, until the stream ends.
func serveNames(conn net.Conn, known names) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		reply := answer(known, query)
		if reply == nil {
			continue
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

// inBubble runs a test of a dial by name in a bubble of synctest. Nothing in
// memory takes any time there, while a connection that the system is asked for
// keeps time from passing: what is dialled has to answer, or OnSocket to hold
// the dial up.
func inBubble(t *testing.T, test func(*testing.T)) {
	t.Helper()

	// The first look-up of a process makes a channel that the later ones share,
	// so it can't be one of a bubble.
	nobody := net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, net.ErrClosed
	}}
	_, err := nobody.LookupHost(t.Context(), "nobody.test.")
	require.Error(t, err)

	synctest.Test(t, test)
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

package testutil

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"darvaza.org/core"
)

// Server is a server on a real socket that fails when told to. It comes from
// [NewEchoServer], [NewLineServer], [NewServer] or [StartServer]. All methods
// may be called concurrently, also by a handler, save that Stop, Restart and
// Close wait for the handlers and so never return to one.
type Server struct {
	// set at construction
	network string
	addr    net.Addr
	handle  func(net.Conn)
	tb      TB     // nil without a test
	dir     string // to be removed by Close; "" when the caller chose the path

	// gate has room for one: Stop, Restart and Close take turns through it.
	// A channel, since they hold it while waiting for handlers.
	gate     chan struct{}
	closeErr error // guarded by gate

	bytesIn  atomic.Int64
	bytesOut atomic.Int64

	state watch // guards the fields below

	run         *run
	conns       map[*serverConn]struct{}
	closing     int // connections that are no longer among conns, but not closed yet
	accepted    int
	silent      bool
	hangUpAfter int64
	resetAfter  int64
	closed      bool
	panicked    error // the first panic of a handler, without a test to tell
}

// run is what lasts from a start to a stop: the listener, the loop that accepts
// and the handlers.
type run struct {
	listener net.Listener
	stop     chan struct{}  // closed under Server.state when the run ends
	wg       sync.WaitGroup // the loop and the handlers; stop waits for them
}

// NewEchoServer starts a server that sends back what it receives. network is
// "tcp", which listens on a free port of 127.0.0.1, or "unix", which listens on
// a socket in a directory of its own; "tcp4" and "tcp6" work too. It ends with
// the test, after all its handlers have. Failing to start ends the test.
func NewEchoServer(tb TB, network string) *Server {
	tb.Helper()
	return NewServer(tb, network, Echo)
}

// NewLineServer starts a server like [NewEchoServer] does, one that answers
// each line as [Lines] describes.
func NewLineServer(tb TB, network string, answer func(line string) (reply string, ok bool)) *Server {
	tb.Helper()
	return NewServer(tb, network, Lines(answer))
}

// NewServer starts a server like [NewEchoServer] does, with a handler of one's
// own: see [StartServer] for what it may do. A panic of the handler is reported
// by tb.Errorf. It returns nil only if tb.Fatalf returns.
func NewServer(tb TB, network string, handle func(net.Conn)) *Server {
	tb.Helper()
	s, err := startServer(tb, network, "", handle)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("%v", err)
		}
	})
	return s
}

// StartServer starts a server outside of a test, to be ended by Close. network
// is "tcp", "tcp4", "tcp6" or "unix"; an empty address means a free port on
// loopback, or a socket in a temporary directory that Close removes.
//
// handle is called on a goroutine of its own for each connection, which is
// closed when it returns. It must return when its connection is closed, since
// Stop waits for that. The connection it gets counts bytes, has a CloseWrite, and is
// safe for one reader and one writer at a time. A panic of the handler ends only its
// connection, and Close returns the first one.
//
// An unknown network and a nil handle match [core.ErrInvalid]; other errors are
// those of [net.Listen].
func StartServer(network, address string, handle func(net.Conn)) (*Server, error) {
	return startServer(nil, network, address, handle)
}

func startServer(tb TB, network, address string, handle func(net.Conn)) (*Server, error) {
	if handle == nil {
		return nil, fmt.Errorf("testutil: handle is nil: %w", core.ErrInvalid)
	}
	address, dir, err := listenAddress(network, address)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		_ = removeDir(dir)
		return nil, fmt.Errorf("testutil: %w", err)
	}
	s := &Server{
		network:     network,
		addr:        listener.Addr(),
		handle:      handle,
		tb:          tb,
		dir:         dir,
		gate:        make(chan struct{}, 1),
		conns:       make(map[*serverConn]struct{}),
		hangUpAfter: -1,
		resetAfter:  -1,
	}
	s.start(listener)
	return s, nil
}

// Addr gives the address the server listens on, or did before it was stopped.
func (s *Server) Addr() net.Addr { return s.addr }

// Network gives the network the server was started with.
func (s *Server) Network() string { return s.network }

// Remote gives the address in the form in which clients are configured:
// host:port, or the path of the socket. A server that listens on all addresses
// of its host is reached by the one of loopback. A path that doesn't start with a
// slash (or the @ of an abstract name) gets the prefix "unix:", so that it can't be
// mistaken for a host and port.
func (s *Server) Remote() string {
	remote := s.addr.String()
	if tcp, ok := s.addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host := "127.0.0.1" // "tcp" listens there, too, and IPv6 may be off
		if s.network == "tcp6" {
			host = "::1"
		}
		return net.JoinHostPort(host, strconv.Itoa(tcp.Port))
	}
	if s.network == "unix" && !strings.HasPrefix(remote, "/") && !strings.HasPrefix(remote, "@") {
		return "unix:" + remote
	}
	return remote
}

// String gives Remote, for a log: the fields change while others use the server.
func (s *Server) String() string { return "testutil.Server at " + s.Remote() }

// GoString is [Server.String].
func (s *Server) GoString() string { return s.String() }

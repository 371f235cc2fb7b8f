package reconnect_test

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// A benchSide is who has the connection in a benchmark: nobody but the
// benchmark, or a client with timeouts.
type benchSide struct {
	name    string
	client  bool
	timeout time.Duration // -1: off
}

var benchSides = []benchSide{
	{name: "raw"},
	{name: "client/off", client: true, timeout: -1},
	{name: "client/default", client: true},
}

// A benchLink is a connection of a side. The peer is always bare.
type benchLink struct {
	io.ReadWriter
	peer net.Conn
}

// benchChunk is how many messages of 64 bytes are sent ahead: few enough to fit
// every socket's buffer, so that neither side blocks.
const (
	benchMessage = 64
	benchChunk   = 64
)

func benchListen(tb testing.TB, network string) net.Listener {
	tb.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(tb.TempDir(), "s.sock")
	}
	l, err := net.Listen(network, address)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = l.Close() })
	return l
}

// link connects a side. The session of a client only waits for its end.
func (s benchSide) link(tb testing.TB, network string) *benchLink {
	tb.Helper()
	l := benchListen(tb, network)
	var near io.ReadWriter
	if s.client {
		near = benchClient(tb, &reconnect.Config{
			Remote:       l.Addr().String(),
			OnSession:    waitForSessionEnd,
			ReadTimeout:  s.timeout,
			WriteTimeout: s.timeout,
		})
	} else {
		conn, err := net.Dial(network, l.Addr().String())
		require.NoError(tb, err)
		tb.Cleanup(func() { _ = conn.Close() })
		near = conn
	}
	peer, err := l.Accept()
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = peer.Close() })
	return &benchLink{near, peer}
}

// benchClient returns a client that is connected.
func benchClient(tb testing.TB, cfg *reconnect.Config) *reconnect.Client {
	tb.Helper()
	c, err := reconnect.New(cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = c.Shutdown(context.Background()) })
	require.NoError(tb, c.Connect())
	require.NoError(tb, c.WaitConnected(c.Context()))
	return c
}

func waitForSessionEnd(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// fill has the peer send a chunk.
func (l *benchLink) fill(tb testing.TB) {
	_, err := l.peer.Write(make([]byte, benchChunk*benchMessage))
	require.NoError(tb, err)
}

// drain has the peer receive n messages.
func (l *benchLink) drain(tb testing.TB, n int) {
	_, err := io.ReadFull(l.peer, make([]byte, n*benchMessage))
	require.NoError(tb, err)
}

// echo has the peer return what it gets.
func (l *benchLink) echo(tb testing.TB) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.CopyBuffer(struct{ io.Writer }{l.peer}, struct{ io.Reader }{l.peer}, make([]byte, 4096))
	}()
	tb.Cleanup(func() {
		_ = l.peer.Close()
		<-done
	})
}

// BenchmarkRead reads 64 bytes that are there already, over TCP.
func BenchmarkRead(b *testing.B) {
	for _, side := range benchSides {
		b.Run(side.name, func(b *testing.B) {
			l := side.link(b, "tcp")
			p := make([]byte, benchMessage)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if i%benchChunk == 0 {
					b.StopTimer()
					l.fill(b)
					b.StartTimer()
				}
				if _, err := l.Read(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWrite writes 64 bytes to a buffer that has room for them, over TCP.
func BenchmarkWrite(b *testing.B) {
	for _, side := range benchSides {
		b.Run(side.name, func(b *testing.B) {
			l := side.link(b, "tcp")
			p := make([]byte, benchMessage)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if i > 0 && i%benchChunk == 0 {
					b.StopTimer()
					l.drain(b, benchChunk)
					b.StartTimer()
				}
				if _, err := l.Write(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEcho sends 64 bytes and waits for them to come back, over TCP.
func BenchmarkEcho(b *testing.B) {
	for _, side := range benchSides {
		b.Run(side.name, func(b *testing.B) {
			l := side.link(b, "tcp")
			l.echo(b)
			p := make([]byte, benchMessage)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if _, err := l.Write(p); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(l, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBulk writes 32 KiB at a time to a peer that reads as much, over a
// Unix socket.
func BenchmarkBulk(b *testing.B) {
	for _, side := range benchSides {
		b.Run(side.name, func(b *testing.B) {
			l := side.link(b, "unix")
			p := make([]byte, 32<<10)
			done := make(chan error, 1)
			go func() {
				_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard},
					io.LimitReader(l.peer, int64(b.N)*int64(len(p))), make([]byte, len(p)))
				done <- err
			}()
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if _, err := l.Write(p); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, <-done)
		})
	}
}

// BenchmarkReconnect counts from the server's close to the start of the next
// session, over TCP and Unix sockets, beside a goroutine that redials.
func BenchmarkReconnect(b *testing.B) {
	for _, network := range []string{"tcp", "unix"} {
		b.Run(network+"/raw", func(b *testing.B) {
			l, up := benchListen(b, network), make(chan struct{})
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() {
				defer close(done)
				redialByHand(ctx, l.Addr(), up)
			}()
			benchReconnect(b, l, up)
			cancel()
			<-done
		})
		b.Run(network+"/client", func(b *testing.B) {
			l, up := benchListen(b, network), make(chan struct{})
			var c *reconnect.Client
			c = reconnect.Must(&reconnect.Config{
				Remote:        l.Addr().String(),
				WaitReconnect: reconnect.NewImmediateErrorWaiter(nil),
				OnSession: func(ctx context.Context) error {
					select {
					case up <- struct{}{}:
					case <-ctx.Done():
						return ctx.Err()
					}
					_, err := c.Read(make([]byte, 1))
					return err
				},
			})
			go func() { _ = c.Connect() }() // ends before Shutdown does
			benchReconnect(b, l, up)
			require.NoError(b, c.Shutdown(context.Background()))
		})
	}
}

// benchReconnect closes each connection as soon as its owner says it's up.
func benchReconnect(b *testing.B, l net.Listener, up <-chan struct{}) {
	b.ReportAllocs()
	for i := range b.N + 1 {
		<-up
		if i == 0 {
			b.ResetTimer() // this one came up for the first time
		}
		peer, err := l.Accept()
		require.NoError(b, err)
		_ = peer.Close()
	}
}

func redialByHand(ctx context.Context, to net.Addr, up chan<- struct{}) {
	d := net.Dialer{Timeout: reconnect.DefaultDialTimeout}
	for {
		conn, err := d.DialContext(ctx, to.Network(), to.String())
		if err != nil {
			return
		}
		select {
		case up <- struct{}{}:
			_, _ = conn.Read(make([]byte, 1))
		case <-ctx.Done():
		}
		_ = conn.Close()
	}
}

// BenchmarkNewShutdown makes a client and stops it before it has connected.
func BenchmarkNewShutdown(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c := reconnect.Must(&reconnect.Config{Remote: "127.0.0.1:1"})
		if err := c.Shutdown(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConnectShutdown connects a client over a Unix socket and stops it.
func BenchmarkConnectShutdown(b *testing.B) {
	l := benchListen(b, "unix")
	b.ReportAllocs()
	for b.Loop() {
		c := reconnect.Must(&reconnect.Config{
			Remote:    l.Addr().String(),
			OnSession: waitForSessionEnd,
		})
		if err := c.Connect(); err != nil {
			b.Fatal(err)
		}
		peer, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Shutdown(context.Background()); err != nil {
			b.Fatal(err)
		}
		_ = peer.Close()
	}
}

// BenchmarkStatus takes a snapshot of a client that is connected.
func BenchmarkStatus(b *testing.B) {
	l := benchSides[1].link(b, "tcp")
	c := l.ReadWriter.(*reconnect.Client)
	var st reconnect.Status
	b.ReportAllocs()
	for b.Loop() {
		st = c.Status()
	}
	_ = st
}

package stream_test

import (
	"bufio"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"darvaza.org/x/net/reconnect/stream"
)

// benchRound is how many messages one side exchanges before the other has its
// turn.
const benchRound = 500

// BenchmarkEcho sends a line of 64 bytes and waits for its echo, over
// loopback: by hand with bufio, and by a session, in alternating rounds. It
// reports the median of the ratios of neighbours, and the allocations of both.
func BenchmarkEcho(b *testing.B) {
	line := strings.Repeat("x", 63)

	hand := echoByHand(b, line)
	next, recv := echoBySession(b, line)
	for _, by := range []struct {
		name string
		echo func(int)
	}{{"hand", hand}, {"next", next}, {"recv", recv}} {
		b.Run(by.name, func(b *testing.B) {
			b.ReportAllocs()
			var ratios []float64
			for n := b.N; n > 0; n -= benchRound {
				n := min(n, benchRound)
				b.StopTimer()
				base := timed(func() { hand(n) })
				b.StartTimer()
				took := timed(func() { by.echo(n) })
				ratios = append(ratios, float64(took)/float64(base))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "x-hand")
		})
	}
}

func timed(fn func()) time.Duration {
	start := time.Now()
	fn()
	return time.Since(start)
}

// dialEcho connects to a server that returns what it gets.
func dialEcho(tb testing.TB) net.Conn {
	tb.Helper()
	client, server := tcpPair(tb)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		buf := make([]byte, 4096)
		for {
			n, err := server.Read(buf)
			if err != nil {
				return
			}
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	tb.Cleanup(func() {
		client.Close()
		<-done
	})
	return client
}

func echoByHand(b *testing.B, line string) func(int) {
	conn := dialEcho(b)
	w, scan := bufio.NewWriter(conn), bufio.NewScanner(conn)
	return func(n int) {
		for range n {
			_, _ = w.WriteString(line)
			_ = w.WriteByte('\n')
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
			if !scan.Scan() || scan.Text() != line {
				b.Fatal(scan.Err())
			}
		}
	}
}

func echoBySession(b *testing.B, line string) (next, recv func(int)) {
	s := &stream.StreamSession[string, string]{
		Conn:      dialEcho(b),
		Unmarshal: func(p []byte) (string, error) { return string(p), nil },
		MarshalTo: func(m string, w io.Writer) error {
			_, _ = io.WriteString(w, m)
			_, err := w.Write(newline)
			return err
		},
		QueueSize: 16,
	}
	if err := s.Spawn(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close(); _ = s.Wait() })

	next = func(n int) {
		for range n {
			if err := s.Send(line); err != nil {
				b.Fatal(err)
			}
			if m, ok := s.Next(); !ok || m != line {
				b.Fatal(s.Err())
			}
		}
	}
	recv = func(n int) {
		for range n {
			if err := s.Send(line); err != nil {
				b.Fatal(err)
			}
			if m := <-s.Recv(); m != line {
				b.Fatal(s.Err())
			}
		}
	}
	return next, recv
}

var newline = []byte("\n")

package reconnect_test

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// benchFileSize is that of the file in the benchmarks of io.Copy, in MiB. The
// full measurement takes RECONNECT_BENCH_FILE_MIB=1024.
func benchFileSize(tb testing.TB) int64 {
	text := os.Getenv("RECONNECT_BENCH_FILE_MIB")
	if text == "" {
		return 64 << 20
	}
	n, err := strconv.ParseUint(text, 10, 16)
	require.NoError(tb, err, "RECONNECT_BENCH_FILE_MIB")
	return int64(n) << 20
}

// benchFile makes a file that the kernel has in its cache.
func benchFile(tb testing.TB, size int64) *os.File {
	tb.Helper()
	f, err := os.Create(filepath.Join(tb.TempDir(), "file"))
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = f.Close() })
	p := make([]byte, 1<<20)
	for n := int64(0); n < size; n += int64(len(p)) {
		_, err := f.Write(p)
		require.NoError(tb, err)
	}
	return f
}

// BenchmarkCopyFromFile sends a file by io.Copy to a peer that reads 256 KiB at
// a time. The side "buffer" is a bare connection without the kernel's help.
func BenchmarkCopyFromFile(b *testing.B) {
	benchCopy(b, func(b *testing.B, l *benchLink, f *os.File, size int64, bare bool) {
		done := make(chan error, 1)
		go func() {
			_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard},
				io.LimitReader(l.peer, int64(b.N)*size), make([]byte, 256<<10))
			done <- err
		}()
		b.ResetTimer()
		for range b.N {
			_, err := f.Seek(0, io.SeekStart)
			require.NoError(b, err)
			var n int64
			if bare {
				n, err = io.Copy(struct{ io.Writer }{l.ReadWriter}, struct{ io.Reader }{f})
			} else {
				n, err = io.Copy(l.ReadWriter, f)
			}
			require.NoError(b, err)
			require.Equal(b, size, n)
		}
		require.NoError(b, <-done)
	})
}

// BenchmarkCopyToFile receives a file by io.Copy from a peer that sends one.
func BenchmarkCopyToFile(b *testing.B) {
	benchCopy(b, func(b *testing.B, l *benchLink, f *os.File, size int64, bare bool) {
		source := benchFile(b, size)
		done := make(chan error, 1)
		go func() {
			var err error
			for i := 0; i < b.N && err == nil; i++ {
				_, err = source.Seek(0, io.SeekStart)
				if err == nil {
					_, err = io.Copy(l.peer, source)
				}
			}
			_ = l.peer.Close()
			done <- err
		}()
		b.ResetTimer()
		// All in one go, since that ends with the connection; over the same
		// part of the file again and again, so as not to measure the disk.
		var n int64
		var err error
		if bare {
			n, err = io.Copy(struct{ io.Writer }{f}, struct{ io.Reader }{l.ReadWriter})
		} else {
			n, err = io.Copy(f, l.ReadWriter)
		}
		require.NoError(b, err)
		require.Equal(b, int64(b.N)*size, n)
		require.NoError(b, <-done)
	})
}

func benchCopy(b *testing.B, run func(b *testing.B, l *benchLink, f *os.File, size int64, bare bool)) {
	size := benchFileSize(b)
	for _, network := range []string{"tcp", "unix"} {
		for _, side := range append([]benchSide{{name: "buffer"}}, benchSides...) {
			b.Run(network+"/"+side.name, func(b *testing.B) {
				l := side.link(b, network)
				f := benchFile(b, size)
				_, err := f.Seek(0, io.SeekStart)
				require.NoError(b, err)
				b.SetBytes(size)
				b.ReportAllocs()
				run(b, l, f, size, side.name == "buffer")
			})
		}
	}
}

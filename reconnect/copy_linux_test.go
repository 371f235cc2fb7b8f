package reconnect_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// The kernel counts, for each thread, the calls that read or write and the bytes
// that have gone through the program's memory. That tells who has copied.

// accounts gives the count of calls, and that of bytes read, of this thread.
func accounts(t testing.TB) (calls, bytesRead int) {
	t.Helper()
	text, err := os.ReadFile("/proc/thread-self/io")
	if err != nil {
		t.Skip("the kernel doesn't count: ", err)
	}
	var written, reads, writes int
	_, err = fmt.Fscanf(bytes.NewReader(text), "rchar: %d\nwchar: %d\nsyscr: %d\nsyscw: %d\n",
		&bytesRead, &written, &reads, &writes)
	require.NoError(t, err)
	return reads + writes, bytesRead
}

// accounted runs a copy on one thread, and gives what the kernel has counted.
func accounted(t testing.TB, f func() error) (calls, bytesRead int) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	callsBefore, bytesBefore := accounts(t)
	err := f()
	calls, bytesRead = accounts(t)
	require.NoError(t, err)
	return calls - callsBefore, bytesRead - bytesBefore
}

func TestCopyOfAFileIsLeftToTheKernel(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for _, timeout := range []int{-1, 0} {
			l := newCopyLink(t, network, func(cfg *reconnect.Config) {
				if timeout < 0 {
					cfg.WriteTimeout = -1
				}
				cfg.OnConnect = func(_ context.Context, conn net.Conn) error {
					return conn.(interface{ SetWriteBuffer(int) error }).SetWriteBuffer(1 << 20)
				}
			})
			const size = 192 << 10 // there is room for that
			f := newFile(t, noise(size))
			calls, _ := accounted(t, func() error {
				_, err := io.Copy(l.Client, f)
				return err
			})
			require.Less(t, calls, 2*size/(32<<10), "as many as through a buffer")

			_, err := f.Seek(0, io.SeekStart)
			require.NoError(t, err)
			_, err = io.ReadFull(l.peer, make([]byte, size))
			require.NoError(t, err)
			calls, _ = accounted(t, func() error {
				_, err := io.Copy(l.Client, struct{ io.Reader }{f})
				return err
			})
			require.GreaterOrEqual(t, calls, 2*size/(32<<10), "the kernel counts otherwise")
		}
	})
}

func TestCopyToAFileIsLeftToTheKernel(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		for _, plain := range []bool{false, true} {
			l := newCopyLink(t, network, nil)
			want := noise(someMegabytes)
			f := newFile(t, nil)
			go func() {
				_, _ = l.peer.Write(want)
				_ = l.peer.Close()
			}()
			_, bytesRead := accounted(t, func() (err error) {
				if plain {
					_, err = io.Copy(struct{ io.Writer }{f}, l.Client)
				} else {
					_, err = io.Copy(f, l.Client)
				}
				return err
			})
			if plain {
				require.GreaterOrEqual(t, bytesRead, len(want), "the kernel counts otherwise")
			} else {
				require.Less(t, bytesRead, len(want)/10, "as many as through a buffer")
			}
			requireSame(t, want, content(t, f))
		}
	})
}

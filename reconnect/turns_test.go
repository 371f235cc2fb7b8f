package reconnect_test

import (
	"io"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// A letter is a call that writes nothing but its own byte.
type letter struct {
	n   int // how many the call says it has written
	err error
}

// writeLetters makes calls from several goroutines, of a megabyte each.
func writeLetters(c *reconnect.Client, writers, each int) (letters []letter, wait func()) {
	letters = make([]letter, writers*each)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w * each; i < (w+1)*each; i++ {
				p := make([]byte, 1<<20)
				for j := range p {
					p[j] = byte(i)
				}
				letters[i].n, letters[i].err = c.Write(p)
			}
		})
	}
	return letters, wg.Wait
}

// runs are the lengths of what r has of each letter, and how many pieces that is
// in. Now and then it makes a pause, to do something.
func runs(r io.Reader, pause func()) (length, pieces [256]int) {
	buf, last := make([]byte, 64<<10), -1
	for {
		n, err := r.Read(buf)
		for _, b := range buf[:n] {
			if int(b) != last {
				pieces[b]++
			}
			length[b]++
			last = int(b)
		}
		if err != nil {
			return length, pieces
		}
		pause()
	}
}

func TestConcurrentWritesDoNotInterleaveWhenTheirTimeoutIsTurnedOnMeanwhile(t *testing.T) {
	for name, byReset := range map[string]bool{"by Reload": false, "by a reset": true} {
		t.Run(name, func(t *testing.T) {
			onStreams(t, func(t *testing.T, network string) {
				l := newCopyLink(t, network, func(cfg *reconnect.Config) {
					unbounded(cfg)
					cfg.OnConnect = smallBuffers
				})
				if byReset {
					require.NoError(t, l.SetWriteDeadline(time.Hour))
				}
				// With each change a deadline comes early. The first ones let the
				// write that is under way block, the last ones cut it.
				limit := hangGuard
				change := func() {
					for range 20 {
						limit = 3*hangGuard - limit
						l.Config().WriteTimeout = limit
						assert.NoError(t, l.Reload())
						if byReset {
							assert.NoError(t, l.ResetWriteDeadline())
						}
					}
				}
				letters, wait := writeLetters(l.Client, 16, 2)
				ended := make(chan struct{})
				var length, pieces [256]int
				go func() {
					defer close(ended)
					length, pieces = runs(io.LimitReader(l.peer, int64(len(letters))<<20), change)
				}()
				wait()
				receive(t, ended)
				for i, is := range letters {
					assert.NoError(t, is.err)
					assert.Equal(t, is.n, length[i])
					assert.Equal(t, 1, pieces[i], "something came in between")
				}
			})
		})
	}
}

func TestBytesStayRightWhenTheEndOfTheConnectionLetsManyCallsGo(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			c := connectPipe(t, newPipe(t, nil), nil)
			var wg sync.WaitGroup
			for range 300 {
				for _, do := range calls() {
					wg.Go(func() {
						n, err := do(c)
						assert.Zero(t, n)
						assert.ErrorIs(t, err, reconnect.ErrNotConnected)
					})
				}
			}
			synctest.Wait()
			require.NoError(t, c.Close())
			wg.Wait()
			synctest.Wait()
			require.EqualValues(t, 2, c.Status().Sessions)
			require.Zero(t, c.Status().BytesRead)
			require.Zero(t, c.Status().BytesWritten)
		})
	}
}

func TestCallsInTheQueueCountFromAResetAsWellAndNotInTurn(t *testing.T) {
	const callers = 6
	for name, order := range map[string]struct{ before, set, after int }{
		"no deadline set":         {callers, 0, 0},
		"begun before it was set": {callers, 1, 0},
		"begun after it was set":  {0, 1, callers},
		"begun before and after":  {callers / 2, 1, callers / 2},
	} {
		t.Run(name, func(t *testing.T) {
			eachSetter(t, func(t *testing.T, s setter) {
				c := connectPipe(t, newPipe(t, nil), nil)
				var wg sync.WaitGroup
				var reset time.Time
				begin := func(n int) {
					for range n {
						wg.Go(func() {
							_, err := s.do(c)
							took := time.Since(reset)
							assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
							assert.GreaterOrEqual(t, took, bound)
							assert.LessOrEqual(t, took, bound+bound/16)
						})
					}
					synctest.Wait()
				}
				begin(order.before)
				time.Sleep(bound / 2)
				if order.set > 0 {
					require.NoError(t, s.set(c, time.Hour))
					begin(order.after)
					time.Sleep(10 * bound)
				}
				reset = time.Now()
				require.NoError(t, s.reset(c))
				wg.Wait()
				assertTimesOut(t, c, s.do, bound)
			})
		})
	}
}

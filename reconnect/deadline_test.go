package reconnect_test

import (
	"fmt"
	"math"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

// A setter sets and resets the deadline of the calls in one direction, and
// leaves the other alone, where it is set.
type setter struct {
	set   func(*reconnect.Client, time.Duration) error
	reset func(*reconnect.Client) error
	do    call
	other call
}

func setters() map[string]setter {
	return map[string]setter{
		"read":  {(*reconnect.Client).SetReadDeadline, (*reconnect.Client).ResetReadDeadline, readOne, writeOne},
		"write": {(*reconnect.Client).SetWriteDeadline, (*reconnect.Client).ResetWriteDeadline, writeOne, readOne},
		"both read": {func(c *reconnect.Client, d time.Duration) error { return c.SetDeadline(d, 99*time.Hour) },
			(*reconnect.Client).ResetDeadline, readOne, nil},
		"both write": {func(c *reconnect.Client, d time.Duration) error { return c.SetDeadline(99*time.Hour, d) },
			(*reconnect.Client).ResetDeadline, writeOne, nil},
	}
}

// eachSetter runs a test in virtual time for each setter.
func eachSetter(t *testing.T, test func(t *testing.T, s setter)) {
	for name, s := range setters() {
		bubble(t, name, func(t *testing.T) { test(t, s) })
	}
}

func TestDeadlineCountsFromTheSetterAndNotFromTheCall(t *testing.T) {
	eachSetter(t, func(t *testing.T, s setter) {
		c := connectPipe(t, newPipe(t, nil), nil)
		for _, d := range []time.Duration{bound / 2, 5 * bound} {
			set := time.Now()
			require.NoError(t, s.set(c, d))
			time.Sleep(d / 4)
			_, err := s.do(c)
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
			assert.Equal(t, d, time.Since(set))

			time.Sleep(bound)
			again := time.Now()
			_, err = s.do(c)
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
			assert.Zero(t, time.Since(again), "once passed it fails every call")
		}
		if s.other != nil {
			assertTimesOut(t, c, s.other, bound)
		}
	})
}

func TestResetBringsTheTimeoutBack(t *testing.T) {
	eachSetter(t, func(t *testing.T, s setter) {
		c := connectPipe(t, newPipe(t, nil), nil)
		for _, d := range []time.Duration{0, time.Second, time.Hour} {
			require.NoError(t, s.set(c, d))
			require.NoError(t, s.reset(c))
			for range 3 {
				assertTimesOut(t, c, s.do, bound)
			}
		}
	})
}

func TestDeadlineOfZeroOrLessTakesTheBoundAway(t *testing.T) {
	for name, s := range setters() {
		for _, d := range []time.Duration{0, -1, math.MinInt64} {
			bubble(t, fmt.Sprintf("%s %d", name, d), func(t *testing.T) {
				c := connectPipe(t, newPipe(t, nil), nil)
				if name == "both write" && d == 0 {
					require.NoError(t, c.SetDeadline(0, 0))
				} else {
					require.NoError(t, s.set(c, d))
				}
				assertBlocks(t, c, s.do)
			})
		}
	}
}

func TestDeadlineInHundredsOfYearsIsNotInThePast(t *testing.T) {
	eachCall(t, func(t *testing.T, do call) {
		c := connectPipe(t, newPipe(t, nil), nil)
		time.Sleep(time.Hour)
		require.NoError(t, c.SetDeadline(math.MaxInt64, math.MaxInt64))
		assertBlocks(t, c, do)
	})
}

func TestSetDeadlineWithoutAWriteSetsBothToRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), nil)
		require.NoError(t, c.SetDeadline(5*bound, 0))
		var wg sync.WaitGroup
		wg.Go(func() { assertTimesOut(t, c, readOne, 5*bound) })
		wg.Go(func() { assertTimesOut(t, c, writeOne, 5*bound) })
		wg.Wait()

		require.NoError(t, c.SetDeadline(bound, -1))
		assertTimesOut(t, c, readOne, bound)
		assertBlocks(t, c, writeOne)
	})
}

func TestDeadlineEndsWithTheConnection(t *testing.T) {
	eachSetter(t, func(t *testing.T, s setter) {
		p := newPipe(t, nil)
		c := connectPipe(t, p, nil)
		for i, d := range []time.Duration{-1, time.Nanosecond, time.Hour} {
			require.NoError(t, s.set(c, d))
			require.NoError(t, c.Close())
			synctest.Wait()
			require.Equal(t, i+2, p.Dials())
			assertTimesOut(t, c, s.do, bound)
		}
	})
}

func TestCallThatBlocksObeysADeadlineSetMeanwhile(t *testing.T) {
	for _, d := range []time.Duration{bound / 4, 3 * bound} {
		eachSetter(t, func(t *testing.T, s setter) {
			c := connectPipe(t, newPipe(t, nil), nil)
			var wg sync.WaitGroup
			begin := time.Now()
			for range 3 { // the last ones wait for their turn
				wg.Go(func() {
					_, err := s.do(c)
					assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
					assert.Equal(t, bound/2+d, time.Since(begin))
				})
			}
			time.Sleep(bound / 2)
			require.NoError(t, s.set(c, d))
			wg.Wait()
		})
	}
}

func TestCallThatBlocksLosesItsBoundByADeadlineOfZero(t *testing.T) {
	eachSetter(t, func(t *testing.T, s setter) {
		c := connectPipe(t, newPipe(t, nil), nil)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := s.do(c)
				assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
				assert.Error(t, err)
			})
		}
		time.Sleep(bound / 2)
		require.NoError(t, c.SetDeadline(-1, -1))
		time.Sleep(100 * bound)
		require.NoError(t, c.Close())
		wg.Wait()
	})
}

func TestCallThatBlocksIsBoundedAgainFromAResetOn(t *testing.T) {
	for name, first := range map[string]bool{"begun before the deadline was set": true, "begun after": false} {
		t.Run(name, func(t *testing.T) {
			eachSetter(t, func(t *testing.T, s setter) {
				c := connectPipe(t, newPipe(t, nil), nil)
				var wg sync.WaitGroup
				begin := time.Now()
				block := func() {
					wg.Go(func() {
						_, err := s.do(c)
						assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
						assert.GreaterOrEqual(t, time.Since(begin), 11*bound)
						assert.LessOrEqual(t, time.Since(begin), 11*bound+bound/16)
					})
					synctest.Wait()
				}
				if first {
					block()
				}
				require.NoError(t, c.SetDeadline(-1, -1))
				if !first {
					block()
				}
				time.Sleep(10 * bound)
				require.NoError(t, s.reset(c))
				wg.Wait()
			})
		})
	}
}

func TestTimeoutToAbsoluteTimeAddsToTheBaseOrThePresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
		assert.Equal(t, base.Add(time.Minute), reconnect.TimeoutToAbsoluteTime(base, time.Minute))
		assert.True(t, reconnect.TimeoutToAbsoluteTime(base, 0).IsZero())
		assert.True(t, time.Now().Add(time.Minute).Equal(reconnect.TimeoutToAbsoluteTime(time.Time{}, time.Minute)))
		assert.True(t, reconnect.TimeoutToAbsoluteTime(time.Time{}, 0).IsZero())
		assert.True(t, reconnect.TimeoutToAbsoluteTime(base, -1).IsZero())
		assert.True(t, reconnect.TimeoutToAbsoluteTime(time.Time{}, math.MinInt64).IsZero())
	})
}

// step is one move of the state machine below.
func step(t *testing.T, c *reconnect.Client, b byte, fixed *[2]time.Time, now time.Time) {
	d := time.Duration(b>>4) * time.Second
	switch b & 7 {
	case 0:
		require.NoError(t, c.SetReadDeadline(d))
		fixed[0] = now.Add(d)
		if d == 0 {
			fixed[0] = time.Unix(1<<40, 0)
		}
	case 1:
		require.NoError(t, c.SetWriteDeadline(d))
		fixed[1] = now.Add(d)
		if d == 0 {
			fixed[1] = time.Unix(1<<40, 0)
		}
	case 2:
		require.NoError(t, c.ResetReadDeadline())
		fixed[0] = time.Time{}
	case 3:
		require.NoError(t, c.ResetWriteDeadline())
		fixed[1] = time.Time{}
	case 4, 5:
		try(t, c, int(b&1), fixed)
	default:
		time.Sleep(d / 4)
	}
}

// try makes one call, in the direction given by its index, and demands that it
// ends when it must.
func try(t *testing.T, c *reconnect.Client, i int, fixed *[2]time.Time) {
	do := []call{readOne, writeOne}[i]
	begin := time.Now()
	switch {
	case fixed[i].IsZero():
		assertTimesOut(t, c, do, bound)
	case fixed[i].Sub(begin) > time.Hour: // would block for good
	default:
		_, err := do(c)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, max(fixed[i].Sub(begin), 0), time.Since(begin))
	}
}

func FuzzDeadlinesOfBothDirections(f *testing.F) {
	f.Add([]byte{0x14, 0x20, 0x04, 0x02, 0x04, 0x37, 0x05, 0x05})
	f.Add([]byte{0x00, 0x04, 0x02, 0x04, 0x51, 0x16, 0x05, 0x03, 0x05})
	f.Add([]byte{0xf0, 0xf7, 0xf7, 0x04, 0xf7, 0x04, 0x02, 0x04})
	f.Add([]byte{4, 5, 0x26, 4, 5, 0x56, 4, 5})
	f.Fuzz(func(t *testing.T, moves []byte) {
		synctest.Test(t, func(t *testing.T) {
			c := connectPipe(t, newPipe(t, nil), nil)
			var fixed [2]time.Time
			for _, b := range moves[:min(len(moves), 100)] {
				step(t, c, b, &fixed, time.Now())
			}
		})
	})
}

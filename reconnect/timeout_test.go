package reconnect_test

import (
	"math"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestEachCallIsBoundedByItsTimeoutNeverEarlyAndHardlyLate(t *testing.T) {
	eachCall(t, func(t *testing.T, do call) {
		c := connectPipe(t, newPipe(t, nil), nil)
		for i := range 200 {
			assertTimesOut(t, c, do, bound)
			// begin anywhere between the deadlines armed before
			time.Sleep(time.Duration(i*i) * time.Millisecond)
		}
		assert.EqualValues(t, 1, c.Status().Sessions, "a timeout ends no session")
	})
}

func TestBoundsOfReadAndWriteAreTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) {
			cfg.ReadTimeout = 3 * time.Second
			cfg.WriteTimeout = 7 * time.Second
		})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { assertTimesOut(t, c, readOne, 3*time.Second) })
			wg.Go(func() { assertTimesOut(t, c, writeOne, 7*time.Second) })
			wg.Wait()
		}
	})
}

func TestCallOnABusyConnectionIsBoundedFromItsOwnBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pause := make(chan time.Duration)
		p := newPipe(t, func(conn net.Conn) {
			for d := range pause {
				time.Sleep(d)
				if _, err := conn.Write([]byte("x")); err != nil {
					return
				}
			}
		})
		defer close(pause)
		c := connectPipe(t, p, nil)
		for range 300 {
			// some arrive just in time
			d := rand.N(bound)
			pause <- d
			begin := time.Now()
			n, err := readOne(c)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			require.Equal(t, d, time.Since(begin))
			if rand.N(10) == 0 {
				assertTimesOut(t, c, readOne, bound)
			}
		}
	})
}

func TestConcurrentCallsAreEachBoundedFromTheirOwnBegin(t *testing.T) {
	eachCall(t, func(t *testing.T, do call) {
		c := connectPipe(t, newPipe(t, nil), nil)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				for range 5 {
					time.Sleep(rand.N(2 * bound))
					assertTimesOut(t, c, do, bound)
				}
			})
		}
		wg.Wait()
	})
}

func TestNegativeTimeoutBoundsNothing(t *testing.T) {
	eachCall(t, func(t *testing.T, do call) {
		c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) {
			cfg.ReadTimeout, cfg.WriteTimeout = -1, math.MinInt64
		})
		assertBlocks(t, c, do)
	})
}

func TestTimeoutOfHundredsOfYearsIsNoTimeoutInThePast(t *testing.T) {
	eachCall(t, func(t *testing.T, do call) {
		c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) {
			cfg.ReadTimeout, cfg.WriteTimeout = math.MaxInt64, math.MaxInt64
		})
		time.Sleep(time.Hour)
		assertBlocks(t, c, do)
	})
}

func TestReadOnASocketIsNeverEarlyWhateverWentBefore(t *testing.T) {
	t.Parallel()
	const bound = 20 * time.Millisecond
	onStreams(t, func(t *testing.T, network string) {
		t.Parallel()
		s := testutil.NewEchoServer(t, network)
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: bound}, patient)
		require.NoError(t, c.Connect())
		for range 25 {
			require.NoError(t, c.SetReadDeadline(-1))
			talk(t, c, rand.N(20))
			require.NoError(t, c.ResetReadDeadline())
			for range rand.N(3) {
				begin := time.Now()
				_, err := readOne(c)
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				require.GreaterOrEqual(t, time.Since(begin), bound)
			}
		}
		require.EqualValues(t, 1, c.Status().Sessions)
	})
}

// fastest gives the shortest time that a time-out of a call took.
func fastest(t *testing.T, remote string, bound time.Duration, n int, do call) time.Duration {
	c := newClient(t, &reconnect.Config{Remote: remote, ReadTimeout: bound, WriteTimeout: bound})
	require.NoError(t, c.Connect())
	best := time.Duration(1<<63 - 1)
	for range n {
		begin := time.Now()
		_, err := do(c)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.GreaterOrEqual(t, time.Since(begin), bound)
		best = min(best, time.Since(begin))
	}
	return best
}

func TestCallsOnSocketsAreBoundedInProportion(t *testing.T) {
	t.Parallel()
	onStreams(t, func(t *testing.T, network string) {
		for name, do := range map[string]call{"Read": readOne, "Write": writeTooMuch} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := testutil.NewServer(t, network, func(net.Conn) {})
				s.SetSilent(true)
				const short, factor = 40 * time.Millisecond, 5
				a := fastest(t, s.Remote(), short, 5, do)
				b := fastest(t, s.Remote(), factor*short, 3, do)
				assert.Less(t, float64(b), 1.5*factor*float64(a))
			})
		}
	})
}

func TestConcurrentReadsOnASocketAreBoundedTogetherNotInTurn(t *testing.T) {
	t.Parallel()
	onStreams(t, func(t *testing.T, network string) {
		t.Parallel()
		s := testutil.NewEchoServer(t, network)
		const bound, readers = 100 * time.Millisecond, 20
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: bound})
		require.NoError(t, c.Connect())
		begin := time.Now()
		_, err := readOne(c)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		alone := time.Since(begin)

		begin = time.Now()
		var wg sync.WaitGroup
		for range readers {
			wg.Go(func() {
				begin := time.Now()
				_, err := readOne(c)
				assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
				assert.GreaterOrEqual(t, time.Since(begin), bound)
			})
		}
		wg.Wait()
		assert.Less(t, time.Since(begin), readers/2*alone)
	})
}

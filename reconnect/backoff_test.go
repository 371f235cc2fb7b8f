package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// observed is a waiter that notes what each wait was told and how long it took.
type observed struct {
	reconnect.Waiter
	mu    sync.Mutex
	told  []reconnect.Attempt
	waits []time.Duration
}

func (o *observed) wait(ctx context.Context) error {
	begin := time.Now()
	err := o.Waiter(ctx)
	a, _ := reconnect.AttemptFrom(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, a)
	o.waits = append(o.waits, time.Since(begin))
	return err
}

// assertGrows demands waits between half of each step and the whole of it.
func assertGrows(t *testing.T, waits []time.Duration, first, limit time.Duration) {
	t.Helper()
	step := first
	for i, d := range waits {
		assert.GreaterOrEqual(t, d, step/2, "wait %d", i)
		assert.LessOrEqual(t, d, step, "wait %d", i)
		step = min(2*step, limit)
	}
}

func TestServerThatAcceptsAndHangsUpIsBackedOffUpToTheCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, func(net.Conn) {})
		o := &observed{Waiter: reconnect.NewExponentialWaiter(time.Second, 30*time.Second)}
		cfg := pipeConfig(p)
		cfg.WaitReconnect = o.wait
		cfg.OnSession = func(ctx context.Context) error {
			_, err := reconnect.ConnFrom(ctx).Read(make([]byte, 1))
			return err
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		time.Sleep(5 * time.Minute)
		require.NoError(t, c.Shutdown(context.Background()))
		o.waits = o.waits[:len(o.waits)-1] // cut short
		require.Greater(t, len(o.waits), 10)
		assertGrows(t, o.waits, time.Second, 30*time.Second)
		assert.EqualValues(t, len(o.waits)+1, c.Status().Sessions)
		assert.Equal(t, len(o.waits)+1, c.Status().Attempt)
		for i, a := range o.told {
			assert.Equal(t, i, a.Number)
			assert.ErrorIs(t, a.Err, io.EOF)
		}
	})
}

func TestStableSessionBringsTheBackoffBackToItsFirstStep(t *testing.T) {
	for name, tc := range map[string]struct {
		stableAfter, lasts time.Duration
		resets             bool
	}{
		"default, stable":   {0, 10 * time.Second, true},
		"default, unstable": {0, 10*time.Second - 1, false},
		"set, stable":       {time.Hour, time.Hour, true},
		"set, unstable":     {time.Hour, time.Hour - 1, false},
		"any will do":       {-1, 0, true},
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
			o := &observed{Waiter: reconnect.NewConstantWaiter(time.Second)}
			cfg := pipeConfig(p)
			cfg.WaitReconnect = o.wait
			cfg.StableAfter = tc.stableAfter
			cfg.OnSession = func(context.Context) error {
				time.Sleep(tc.lasts)
				p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
				return nil
			}
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			time.Sleep(2500 * time.Millisecond)
			p.Refuse(nil) // three waits, then a session
			time.Sleep(tc.lasts + 2*time.Second)
			require.NoError(t, c.Shutdown(context.Background()))

			numbers := make([]int, len(o.told))
			for i, a := range o.told {
				numbers[i] = a.Number
			}
			lost := o.told[3]
			assert.Equal(t, tc.lasts, lost.Uptime)
			assert.NoError(t, lost.Err)
			if tc.resets {
				assert.Equal(t, []int{0, 1, 2, 0, 1}, numbers)
				assert.Zero(t, lost.Downtime)
				assert.Equal(t, 1, c.Status().Attempt)
			} else {
				assert.Equal(t, []int{0, 1, 2, 3, 4}, numbers)
				assert.Equal(t, 3*time.Second+tc.lasts, lost.Downtime)
			}
			assert.Equal(t, 2*time.Second, o.told[2].Downtime)
		})
	}
}

func TestWaiterSharedByAThousandClientsKeepsThemIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 1000
		shared := reconnect.NewExponentialWaiter(time.Second, 8*time.Second)
		var all []*reconnect.Client
		var seen []*observed
		for i := range clients {
			p := newPipe(t, nil)
			p.Refuse(testutil.ConnRefused("tcp", pipeRemote))
			o := &observed{Waiter: shared}
			cfg := pipeConfig(p)
			cfg.WaitReconnect = o.wait
			c := newClient(t, cfg)
			all, seen = append(all, c), append(seen, o)
			go func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				_ = c.Connect()
			}()
		}
		time.Sleep(time.Minute)
		firsts := map[time.Duration]bool{}
		for i, c := range all {
			c.Cancel(nil)
			<-c.Done()
			waits := seen[i].waits
			require.Greater(t, len(waits), 5)
			assertGrows(t, waits[:len(waits)-1], time.Second, 8*time.Second)
			firsts[waits[0]] = true
		}
		assert.Greater(t, len(firsts), clients*9/10, "the first wait has jitter as well")
	})
}

func TestLimitStopsTheClientWithTheLastErrorAfterThatManyWaits(t *testing.T) {
	for name, onError := range map[string]func(context.Context, net.Conn, error) error{
		"alone":        nil,
		"with OnError": func(context.Context, net.Conn, error) error { return nil },
	} {
		bubble(t, name, func(t *testing.T) {
			p := newPipe(t, nil)
			refused := testutil.ConnRefused("tcp", pipeRemote)
			p.Refuse(refused)
			cfg := pipeConfig(p)
			cfg.OnError = onError
			cfg.WaitReconnect = reconnect.LimitWaiter(reconnect.NewConstantWaiter(time.Second), 3)
			begin := time.Now()
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			err := waitDone(t, c)
			require.ErrorIs(t, err, reconnect.ErrDoNotReconnect)
			require.ErrorIs(t, err, refused)
			assert.Equal(t, 3*time.Second, time.Since(begin))
			assert.Equal(t, 4, p.Dials())
			assert.True(t, reconnect.IsNonError(err))
		})
	}
}

func TestLimitElapsedStopsTheClientAfterThatTimeWithoutAStableSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.LimitElapsedWaiter(reconnect.NewConstantWaiter(7*time.Second), time.Minute)
		stable := true
		cfg.OnSession = func(context.Context) error {
			if stable {
				time.Sleep(time.Hour)
				p.Refuse(io.ErrUnexpectedEOF)
			}
			stable = false
			return nil
		}
		c := newClient(t, cfg)
		begin := time.Now()
		require.NoError(t, c.Connect())
		err := c.Wait()
		require.ErrorIs(t, err, reconnect.ErrDoNotReconnect)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, time.Hour+time.Minute, time.Since(begin))
	})
}

func TestChainedWaitersWaitInTurnAndAnErrorOfOneStopsTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, func(net.Conn) {})
		enough := errors.New("enough")
		turns := 0
		cfg := pipeConfig(p)
		cfg.OnSession = func(context.Context) error { return nil }
		cfg.WaitReconnect = reconnect.ChainWaiters(
			reconnect.NewConstantWaiter(time.Second),
			func(context.Context) error { // a limiter shared by a process, say
				if turns++; turns == 3 {
					return enough
				}
				return nil
			})
		c := newClient(t, cfg)
		begin := time.Now()
		require.NoError(t, c.Connect())
		require.Equal(t, enough, waitDone(t, c))
		assert.Equal(t, 3*time.Second, time.Since(begin))
	})
}

func TestAttemptTellsTheLastErrorAndUptimeToTheWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		o := &observed{Waiter: reconnect.NewConstantWaiter(time.Second)}
		c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.WaitReconnect = o.wait })
		time.Sleep(5 * time.Second)
		p.HangUp()
		_, err := readOne(c)
		require.ErrorIs(t, err, io.EOF)
		synctest.Wait()
		time.Sleep(3 * time.Second)
		require.NoError(t, c.Shutdown(context.Background()))
		require.Len(t, o.told, 1)
		a := o.told[0]
		assert.Equal(t, 0, a.Number)
		assert.Equal(t, 5*time.Second, a.Uptime)
		assert.Equal(t, io.EOF, a.Err)
		assert.Equal(t, 5*time.Second, a.Downtime)
	})
}

func TestDowntimeBeginsBeforeTheGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pipeConfig(newPipe(t, nil))
		cfg.OnSession = func(context.Context) error { time.Sleep(20 * time.Second); return nil }
		cfg.OnDisconnect = func(context.Context, net.Conn) error { time.Sleep(time.Second); return nil }
		cfg.WaitReconnect = func(ctx context.Context) error {
			a, _ := reconnect.AttemptFrom(ctx)
			assert.Equal(t, 20*time.Second, a.Uptime)
			assert.Equal(t, time.Second, a.Downtime)
			return reconnect.ErrDoNotReconnect
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.NoError(t, waitDone(t, c))
	})
}

// A limit on the time counts what a slow OnState takes, too.
func TestDowntimeGoesOnUntilTheWaitBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Refuse(io.ErrUnexpectedEOF)
		cfg := pipeConfig(p)
		cfg.OnState = func(_, to reconnect.State) {
			if to == reconnect.Waiting {
				time.Sleep(5 * time.Second)
			}
		}
		cfg.WaitReconnect = reconnect.LimitElapsedWaiter(reconnect.NewConstantWaiter(time.Minute), 10*time.Second)
		c := newClient(t, cfg)
		begin := time.Now()
		require.NoError(t, c.Connect())
		require.ErrorIs(t, waitDone(t, c), reconnect.ErrDoNotReconnect)
		require.Equal(t, 10*time.Second, time.Since(begin))
	})
}

func TestWaiterMayDecideByTheAttemptInItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Refuse(io.ErrUnexpectedEOF)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = func(ctx context.Context) error {
			a, ok := reconnect.AttemptFrom(ctx)
			if !ok || a.Number >= 2 {
				return fmt.Errorf("attempt %d: %w", a.Number, a.Err)
			}
			return nil
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.ErrorContains(t, waitDone(t, c), "attempt 2: ")
		assert.Equal(t, 3, p.Dials())
	})
}

func TestLongGoodbyeMakesNoSessionStable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var numbers []int
		cfg := pipeConfig(newPipe(t, nil))
		cfg.StableAfter = time.Second
		cfg.WriteTimeout = time.Minute
		cfg.OnSession = func(context.Context) error { return nil }
		cfg.OnDisconnect = func(context.Context, net.Conn) error {
			time.Sleep(time.Hour)
			return nil
		}
		cfg.WaitReconnect = func(ctx context.Context) error {
			a, _ := reconnect.AttemptFrom(ctx)
			assert.Zero(t, a.Uptime)
			if numbers = append(numbers, a.Number); len(numbers) == 3 {
				return reconnect.ErrDoNotReconnect
			}
			return nil
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.NoError(t, c.Wait())
		assert.Equal(t, []int{0, 1, 2}, numbers)
	})
}

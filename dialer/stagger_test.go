package dialer_test

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/dialer"
)

// startsOf dials a name of n addresses, each of which takes forever, and tells
// when each was started. It has to run in a bubble.
func startsOf(t *testing.T, n int, timeout time.Duration) (starts []time.Duration, err error) {
	t.Helper()

	var addrs []string
	for i := range n {
		addrs = append(addrs, fmt.Sprintf("127.0.2.%d", i+1))
	}
	d := dialer.New(dialer.Config{
		Timeout:  timeout,
		Resolver: newResolver(t, names{"dead.test": addrs}),
		// The first address never comes to connect, and the others, which may
		// not run it at the same time, wait for their turn.
		OnSocket: func(ctx context.Context, _ syscall.RawConn) error {
			<-ctx.Done()
			return ctx.Err()
		},
	})

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begin := time.Now()
	started := make(chan time.Duration, n)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectStart: func(string, string) { started <- time.Since(begin) },
	})
	ended := make(chan error)
	go func() {
		_, err := d.DialContext(ctx, "tcp", "dead.test.:9")
		close(started)
		ended <- err
	}()
	for at := range started {
		starts = append(starts, at)
		if len(starts) == n && timeout < 0 {
			cancel()
		}
	}
	return starts, <-ended
}

func TestStartsOfARaceAre250msApartOrCloserWhereTheTimeIsShort(t *testing.T) {
	const ms = time.Millisecond
	for name, tc := range map[string]struct {
		timeout time.Duration
		starts  []time.Duration
	}{
		"no timeout":                         {-1, []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		"the default, which is ample":        {0, []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		"just enough":                        {time.Second, []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		"short":                              {240 * ms, []time.Duration{0, 60 * ms, 120 * ms, 180 * ms}},
		"just enough for the least there is": {40 * ms, []time.Duration{0, 10 * ms, 20 * ms, 30 * ms}},
		"too short for all":                  {24 * ms, []time.Duration{0, 10 * ms, 20 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				starts, err := startsOf(t, 4, tc.timeout)
				assert.Equal(t, tc.starts, starts)
				if tc.timeout < 0 {
					assert.ErrorIs(t, err, context.Canceled)
				} else {
					assertTimeout(t, err)
				}
			})
		})
	}
}

func TestEveryAddressGetsItsTurnInAShortTimeout(t *testing.T) {
	// The usual 250 ms between two starts would use all of the time up.
	inBubble(t, func(t *testing.T) {
		starts, err := startsOf(t, 2, 240*time.Millisecond)
		assert.Equal(t, []time.Duration{0, 120 * time.Millisecond}, starts)
		assertTimeout(t, err)
	})
}

func TestOnSocketNeverOverlapsInARace(t *testing.T) {
	// The first call lasts until the timeout; the second address, started
	// long before, must not come to have a call.
	inBubble(t, func(t *testing.T) {
		calls := 0
		d := dialer.New(dialer.Config{
			Timeout:  time.Second,
			Resolver: newResolver(t, names{"pair.test": {"127.0.2.1", "127.0.2.2"}}),
			OnSocket: func(ctx context.Context, _ syscall.RawConn) error {
				calls++
				<-ctx.Done()
				return ctx.Err()
			},
		})
		_, err := d.DialContext(t.Context(), "tcp", "pair.test.:9")
		assertTimeout(t, err)
		assert.Equal(t, 1, calls)
	})
}

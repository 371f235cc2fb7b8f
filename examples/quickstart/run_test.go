package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/internal/demotest"
	"darvaza.org/x/net/reconnect"
)

// fast is a pace for tests.
var fast = defaultPace.faster(20)

func TestEveryMessageIsEchoedOnceWhateverTheServerDoes(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			var out demotest.Page
			r, err := runOver(t.Context(), &out, network, fast)
			require.NoError(t, err, "%s", &out)

			assert.True(t, r.ok(), "%+v", r)
			assert.Equal(t, r.messages, r.echoed)
			assert.Zero(t, r.missing)
			assert.Zero(t, r.doubled)
			assert.Positive(t, r.resent, "nothing was sent again, so nothing was proven")
			assert.LessOrEqual(t, r.again, r.resent)
			assert.Equal(t, r.sessions, r.lost+1, "every session but the last was lost")
			assert.GreaterOrEqual(t, r.lost, len(faults))
			assert.Positive(t, r.failed)
			assert.Equal(t, r.lost+r.failed, r.survived)
			assert.GreaterOrEqual(t, r.down, r.downMost)
			assert.Positive(t, r.downMost)
			for _, f := range faults {
				assert.Contains(t, out.String(), f.says)
				assert.Contains(t, out.String(), f.heals)
			}
		})
	}
}

func TestTheTimesStandInOneColumn(t *testing.T) {
	var out demotest.Page
	_, err := runOver(t.Context(), &out, "tcp", fast)
	require.NoError(t, err)

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	what := strings.Index(out.String(), "what happened")
	last := -1
	for _, line := range lines[1:] {
		var ms int
		_, err := fmt.Sscan(line[:7], &ms)
		require.NoError(t, err, line)
		assert.GreaterOrEqual(t, ms+1, last, "time goes back: %s", line) // two goroutines write
		last = ms
		assert.Equal(t, byte(' '), line[what-1], line)
		assert.NotEqual(t, byte(' '), line[what], line)
	}
}

func TestAnEndInTheMiddleLosesNothingThatMatters(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &stopAt{text: "GOES SILENT", stop: cancel}
	require.NoError(t, run(ctx, out, fast))

	assert.Contains(t, out.String(), "Stopped early")
	assert.NotContains(t, out.String(), "unix", "the second run has begun")
}

func TestAnEndWithoutAConnectionCountsTheTimeButNoSurvival(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &stopAt{text: "lost the connection", stop: cancel}
	r, err := runOver(ctx, out, "tcp", fast)
	require.NoError(t, err)
	assert.Equal(t, 1, r.lost)
	assert.Zero(t, r.survived)
	assert.Positive(t, r.down)
	assert.Equal(t, r.down, r.downMost)
}

func TestAnEndWithAConnectionIsNoTimeWithoutOne(t *testing.T) {
	p := &peer{log: newTimeline(new(demotest.Page)), outbox: newOutbox(), lostAt: time.Now().Add(-time.Hour)}
	p.note(reconnect.Connected, reconnect.Stopped)
	assert.Zero(t, p.down)
}

// stopAt is a page that calls stop when it is to show a text.
type stopAt struct {
	demotest.Page
	text string
	stop func()
}

func (s *stopAt) Write(b []byte) (int, error) {
	if strings.Contains(string(b), s.text) {
		s.stop()
	}
	return s.Page.Write(b)
}

func TestAServerThatLosesMessagesIsFoundOut(t *testing.T) {
	s := &server{delivered: []uint64{1, 2, 2, 4, 4, 4}, again: 7}
	lost, doubled, again := s.audit(5)
	assert.Equal(t, []int{2, 3, 7}, []int{lost, doubled, again})

	assert.True(t, result{messages: 2, echoed: 2}.ok())
	assert.False(t, result{messages: 2, echoed: 1}.ok())
	assert.False(t, result{messages: 2, echoed: 2, missing: 1}.ok())
	assert.False(t, result{messages: 2, echoed: 2, doubled: 1}.ok())
}

func TestAMessageSentAgainIsDeliveredOnce(t *testing.T) {
	s := new(server)
	for _, n := range []uint64{1, 2, 3, 2, 3, 4} {
		s.receive(n)
	}
	assert.Equal(t, []uint64{1, 2, 3, 4}, s.delivered)
	assert.Equal(t, 2, s.again)
}

func TestTheInnermostErrorIsShown(t *testing.T) {
	err := fmt.Errorf("a: %w", fmt.Errorf("b: %w", &os.SyscallError{Syscall: "connect", Err: syscall.ECONNREFUSED}))
	assert.Equal(t, syscall.ECONNREFUSED.Error(), brief(err))
	assert.Equal(t, "no error", brief(nil))
	joined := errors.Join(errors.New("a"), errors.New("b"))
	assert.Equal(t, joined.Error(), brief(joined))
}

func TestAFasterPaceKeepsThePatience(t *testing.T) {
	p := defaultPace.faster(10)
	assert.Equal(t, defaultPace.calm/10, p.calm)
	assert.Equal(t, defaultPace.patience, p.patience)
	assert.Equal(t, time.Millisecond, defaultPace.faster(1e9).interval)
}

func Example_summary() {
	summarise(os.Stdout, []result{
		{
			network: "tcp", sessions: 7, lost: 6, failed: 5, survived: 11, down: 3 * time.Second, downMost: 1700 * time.Millisecond,
			messages: 404, echoed: 404, resent: 22, again: 20,
		},
		{
			network: "unix", sessions: 6, lost: 5, failed: 4, survived: 9, down: 2 * time.Second, downMost: 1900 * time.Millisecond,
			messages: 396, echoed: 396, resent: 23, again: 20,
		},
	})
	// Output:
	// summary                                  tcp      unix
	// sessions                                   7         6
	// failures survived                         11         9
	//   connections lost                         6         5
	//   attempts failed                          5         4
	// time without a connection            3000 ms   2000 ms
	//   the longest                        1700 ms   1900 ms
	// messages                                 404       396
	//   echoed                                 404       396
	//   sent again, for lack of an echo         22        23
	//   of which had arrived before             20        20
	//   lost                                     0         0
	//   doubled                                  0         0
}

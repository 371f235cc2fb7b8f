package reconnect_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// bound is the timeout that the tests in virtual time use.
const bound = 2 * time.Second

// connectPipe makes a connected client of p.
func connectPipe(t testing.TB, p *testutil.PipeListener, edit func(*reconnect.Config)) *reconnect.Client {
	t.Helper()
	cfg := pipeConfig(p)
	if edit != nil {
		edit(cfg)
	}
	c := newClient(t, cfg)
	require.NoError(t, c.Connect())
	require.Equal(t, reconnect.Connected, c.State())
	return c
}

// connectSession is connectPipe with a session that gets the client.
func connectSession(t testing.TB, p *testutil.PipeListener, edit func(*reconnect.Config),
	session func(context.Context, *reconnect.Client) error) (c *reconnect.Client) {
	t.Helper()
	cfg := pipeConfig(p)
	if edit != nil {
		edit(cfg)
	}
	cfg.OnSession = func(ctx context.Context) error { return session(ctx, c) }
	c = newClient(t, cfg)
	require.NoError(t, c.Connect())
	return c
}

// clientForAnHour makes a client, connected or not, whose context ends after an
// hour, or when it is cancelled.
func clientForAnHour(t testing.TB, connect bool) (*reconnect.Client, context.CancelCauseFunc) {
	t.Helper()
	base, stop := context.WithTimeout(context.Background(), time.Hour)
	t.Cleanup(stop)
	base, cancel := context.WithCancelCause(base)
	t.Cleanup(func() { cancel(nil) })
	cfg := pipeConfig(newPipe(t, nil))
	cfg.Context = base
	c := newClient(t, cfg)
	if connect {
		require.NoError(t, c.Connect())
	}
	return c, cancel
}

// fakeConn is the client's end of the one connection that p has.
func fakeConn(t testing.TB, p *testutil.PipeListener) *testutil.FaultConn {
	t.Helper()
	conns := p.Conns()
	require.Len(t, conns, 1)
	return conns[0]
}

// call is one Read or Write of a client.
type call func(c *reconnect.Client) (int, error)

func readOne(c *reconnect.Client) (int, error)  { return c.Read(make([]byte, 1)) }
func writeOne(c *reconnect.Client) (int, error) { return c.Write([]byte("x")) }

// calls are the two directions, for rules that hold for both.
func calls() map[string]call {
	return map[string]call{"Read": readOne, "Write": writeOne}
}

// eachCall runs a test in virtual time for each direction.
func eachCall(t *testing.T, test func(t *testing.T, do call)) {
	for name, do := range calls() {
		bubble(t, name, func(t *testing.T) { test(t, do) })
	}
}

// writeTooMuch writes more than there is room for.
func writeTooMuch(c *reconnect.Client) (int, error) { return c.Write(tooMuch) }

var tooMuch = make([]byte, 32<<20)

// assertTimesOut demands that a call times out after the given time, at most a
// sixteenth late.
func assertTimesOut(t testing.TB, c *reconnect.Client, do call, after time.Duration) {
	t.Helper()
	begin := time.Now()
	n, err := do(c)
	took := time.Since(begin)
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.Zero(t, n)
	assert.GreaterOrEqual(t, took, after, "early")
	assert.LessOrEqual(t, took, after+after/16, "late")
}

// assertBlocks demands that a call blocks for longer than any deadline in the
// test. The call is ended by dropping the connection.
func assertBlocks(t testing.TB, c *reconnect.Client, do call) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := do(c)
		done <- err
	}()
	select {
	case err := <-done:
		t.Errorf("came back: %v", err)
		return
	case <-time.After(1000 * time.Hour):
	}
	assert.NoError(t, c.Close())
	assert.Error(t, <-done)
}

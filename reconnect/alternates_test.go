package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

// twoServers dials a pipe for each remote.
type twoServers map[string]*testutil.PipeListener

func (d twoServers) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d[address].DialContext(ctx, network, address)
}

func TestAlternatesAreTriedInOrderAndThePrimaryIsPreferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, d := newPipe(t, nil), newPipe(t, nil), newPipe(t, nil)
		cfg := pipeConfig(a)
		cfg.Remote, cfg.Alternates = "a.test:1", []string{"b.test:1", "d.test:1"}
		cfg.Dialer = twoServers{"a.test:1": a, "b.test:1": b, "d.test:1": d}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		at := func(remote string) {
			t.Helper()
			synctest.Wait()
			require.Equal(t, reconnect.Connected, c.State())
			require.Equal(t, remote, c.RemoteAddr().String())
			require.Equal(t, remote, c.Status().Remote)
		}
		at("a.test:1")
		a.Refuse(testutil.ConnRefused("tcp", "a.test:1"))
		require.NoError(t, c.Close())
		at("b.test:1")
		require.Zero(t, d.Dials())
		b.Refuse(testutil.ConnRefused("tcp", "b.test:1"))
		require.NoError(t, c.Close())
		at("d.test:1")
		require.Zero(t, c.Status().Failures, "one attempt is a round through all")
		a.Refuse(nil)
		b.Refuse(nil)
		require.NoError(t, c.Close())
		at("a.test:1")
		assert.EqualValues(t, 4, c.Status().Attempts)
	})
}

func TestRoundIsFatalOnlyWhereAllRemotesAre(t *testing.T) {
	broken, refused := errors.New("proxy: no such route"), testutil.ConnRefused("tcp", "x.test:1")
	for name, tc := range map[string]struct {
		first, second error
		fatal         bool
	}{
		"the first":  {broken, refused, false},
		"the second": {refused, broken, false},
		"both":       {broken, broken, true},
		"a stop":     {refused, fmt.Errorf("gone: %w", reconnect.ErrDoNotReconnect), true},
	} {
		bubble(t, name, func(t *testing.T) {
			a, b := newPipe(t, nil), newPipe(t, nil)
			a.Refuse(tc.first)
			b.Refuse(tc.second)
			cfg := pipeConfig(a)
			cfg.Remote, cfg.Alternates = "a.test:1", []string{"b.test:1"}
			cfg.Dialer = twoServers{"a.test:1": a, "b.test:1": b}
			cfg.WaitReconnect = untilDone
			c := newClient(t, cfg)
			assert.Equal(t, tc.fatal, c.Connect() != nil)
			err := c.Status().LastError
			require.ErrorIs(t, err, tc.first)
			require.ErrorIs(t, err, tc.second)
			assert.Equal(t, tc.fatal, reconnect.IsFatal(err))
			if !tc.fatal {
				assert.Equal(t, reconnect.Waiting, c.State())
			}
		})
	}
}

func TestStatusNamesTheAlternateThatIsBeingDialled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPipe(t, nil), newPipe(t, nil)
		a.Refuse(testutil.ConnRefused("tcp", "a.test:1"))
		b.Hang(true)
		cfg := pipeConfig(a)
		cfg.Remote, cfg.Alternates = "a.test:1", []string{"b.test:1"}
		cfg.Dialer = twoServers{"a.test:1": a, "b.test:1": b}
		c := newClient(t, cfg)
		version := c.Status().Version
		_ = connecting(c)
		for st := c.Status(); st.Remote != "b.test:1"; version = st.Version {
			var err error
			st, err = c.WaitStatus(guarded(t), version)
			require.NoError(t, err)
			require.Equal(t, reconnect.Connecting, st.State)
		}
		require.NoError(t, c.Shutdown(context.Background()))
	})
}

func TestEachAlternateHasADialTimeoutOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Hang(true)
		cfg := pipeConfig(p)
		cfg.DialTimeout = 3 * time.Second
		cfg.Alternates = []string{"b.test:1", "d.test:1"}
		cfg.WaitReconnect = untilDone
		begin := time.Now()
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		assert.Equal(t, 9*time.Second, time.Since(begin))
		st := c.Status()
		assert.Equal(t, []uint64{1, 1}, []uint64{st.Attempts, st.Failures})
		for _, remote := range append(cfg.Alternates, pipeRemote) {
			assert.ErrorContains(t, st.LastError, remote)
		}
	})
}

func TestPrimaryThatDiesIsReplacedByItsAlternateOnRealSockets(t *testing.T) {
	first, second := testutil.NewEchoServer(t, "tcp"), testutil.NewEchoServer(t, "unix")
	c := newClient(t, &reconnect.Config{Remote: first.Remote(), Alternates: []string{second.Remote()},
		WaitReconnect: reconnect.NewImmediateErrorWaiter(nil)}, patient)
	require.NoError(t, c.Connect())
	talk(t, c, 1)
	first.Stop()
	_, err := readOne(c)
	require.Error(t, err)
	require.NoError(t, second.WaitAccepted(guarded(t), 1))
	require.NoError(t, c.WaitConnected(guarded(t)))
	talk(t, c, 1)
	require.NoError(t, first.Restart())
	require.NoError(t, c.Reconnect())
	require.NoError(t, first.WaitAccepted(guarded(t), 2))
	require.NoError(t, c.WaitConnected(guarded(t)))
	require.Equal(t, first.Remote(), c.RemoteAddr().String())
}

func TestSecondOfTwoDeadRemotesIsNamedWithItsCause(t *testing.T) {
	missing := t.TempDir() + "/missing.sock"
	remote := freeRemote(t)
	c := newClient(t, &reconnect.Config{Remote: remote, Alternates: []string{missing}, WaitReconnect: untilDone})
	require.NoError(t, c.Connect())
	err := c.Status().LastError
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.ErrorIs(t, err, syscall.ENOENT)
	require.ErrorContains(t, err, remote)
	require.ErrorContains(t, err, missing)
}

// Where localhost is ::1 first, that address refuses.
func TestNameWithADeadFirstAddressIsReachedByTheNext(t *testing.T) {
	s := testutil.NewEchoServer(t, "tcp4")
	_, port, err := net.SplitHostPort(s.Remote())
	require.NoError(t, err)
	c := newClient(t, &reconnect.Config{Remote: net.JoinHostPort("localhost", port)}, patient)
	require.NoError(t, c.Connect())
	require.NoError(t, c.WaitConnected(guarded(t)))
	talk(t, c, 1)
}

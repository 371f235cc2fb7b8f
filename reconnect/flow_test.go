package reconnect_test

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestConnectionFlowsFromDialToCloseAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := testutil.NewRecorder()
		p := newPipe(t, nil)
		cfg := recordedConfig(p, rec, 2)
		cfg.OnState = func(from, to reconnect.State) {
			defer rec.Enter(from.String() + ">" + to.String())()
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		require.NoError(t, waitDone(t, c))

		turn := func(from reconnect.State) []string {
			return []string{
				from.String() + ">" + reconnect.Connecting.String(), "OnConnect",
				reconnect.Connecting.String() + ">" + reconnect.Connected.String(),
				"OnSession", "OnDisconnect",
			}
		}
		want := slices.Concat(turn(reconnect.Idle),
			[]string{reconnect.Connected.String() + ">" + reconnect.Waiting.String(), "WaitReconnect"},
			turn(reconnect.Waiting),
			[]string{reconnect.Connected.String() + ">" + reconnect.Stopped.String()})
		rec.AssertExactly(t, want...)
		rec.AssertNoOverlap(t)
		assert.Zero(t, p.Open())
	})
}

func TestStatesFollowTheFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		p.Hang(true)
		cfg := pipeConfig(p)
		cfg.WaitReconnect = reconnect.NewConstantWaiter(time.Minute)
		c := newClient(t, cfg)
		require.Equal(t, reconnect.Idle, c.State())
		wait := make(chan struct{})
		go func() { _ = c.Connect(); close(wait) }()
		synctest.Wait()
		require.Equal(t, reconnect.Connecting, c.State())
		<-wait
		synctest.Wait()
		require.Equal(t, reconnect.Waiting, c.State())
		p.Hang(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, reconnect.Connected, c.State())
		require.NoError(t, c.Shutdown(context.Background()))
		require.Equal(t, reconnect.Stopped, c.State())
	})
}

func TestStopAfterASessionThatEndsWellNeitherWaitsNorDials(t *testing.T) {
	for name, reconnectBefore := range map[string]bool{"running": false, "about to dial again": true} {
		bubble(t, name, func(t *testing.T) {
			var moves []string
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			cfg.OnSession = func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second) // which the stop falls into
				return nil
			}
			cfg.OnState = func(_, to reconnect.State) { moves = append(moves, to.String()) }
			c := newClient(t, cfg)
			require.NoError(t, c.Connect())
			if reconnectBefore {
				require.NoError(t, c.Reconnect())
			}
			require.NoError(t, c.Shutdown(context.Background()))
			assert.Equal(t, []string{"connecting", "connected", "stopped"}, moves)
			assert.EqualValues(t, 1, c.Status().Attempts)
		})
	}
}

func TestOnStateSeesEveryTransitionInOrder(t *testing.T) {
	for name, connect := range map[string]bool{"connected": true, "never connected": false} {
		bubble(t, name, func(t *testing.T) {
			var moves []string
			last := reconnect.Idle
			p := newPipe(t, nil)
			cfg := pipeConfig(p)
			cfg.OnState = func(from, to reconnect.State) {
				assert.Equal(t, last, from)
				assert.NotEqual(t, from, to)
				last = to
				moves = append(moves, to.String())
			}
			c := newClient(t, cfg)
			want := []string{"stopped"}
			if connect {
				require.NoError(t, c.Connect())
				require.NoError(t, c.Close())
				synctest.Wait()
				p.Refuse(io.ErrUnexpectedEOF)
				cfg.WaitReconnect = nil
				require.NoError(t, c.Reconnect()) // fails, and then again and again: so stop
				require.NoError(t, c.Reload())
				synctest.Wait()
				want = []string{"connecting", "connected", "waiting", "connecting", "connected", "connecting"}
			}
			require.NoError(t, c.Shutdown(context.Background()))
			require.GreaterOrEqual(t, len(moves), len(want))
			if connect {
				assert.Equal(t, want, moves[:len(want)])
			}
			assert.Equal(t, "stopped", moves[len(moves)-1])
		})
	}
}

package reconnect_test

import (
	"context"
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

func TestCloseDropsTheConnectionAndTheClientReconnects(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		s := testutil.NewEchoServer(t, network)
		c := newClient(t, &reconnect.Config{Remote: s.Remote(), ReadTimeout: -1,
			WaitReconnect: reconnect.NewImmediateErrorWaiter(nil)}, patient)
		require.NoError(t, c.Connect())
		for i := range 5 {
			require.NoError(t, c.WaitConnected(guarded(t)))
			talk(t, c, 1)
			require.NoError(t, c.Close())
			require.NoError(t, s.WaitAccepted(guarded(t), i+2))
		}
		require.NoError(t, c.Err())
	})
}

func TestCloseEndsBlockedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connectPipe(t, newPipe(t, nil), func(cfg *reconnect.Config) { cfg.ReadTimeout, cfg.WriteTimeout = -1, -1 })
		for range 3 {
			var wg sync.WaitGroup
			for _, do := range calls() {
				wg.Go(func() {
					_, err := do(c)
					assert.ErrorIs(t, err, net.ErrClosed)
				})
			}
			synctest.Wait()
			require.NoError(t, c.Close())
			wg.Wait()
			synctest.Wait()
			require.Equal(t, reconnect.Connected, c.State())
		}
	})
}

func TestReadAfterCloseReturnsErrNotConnectedUntilTheNextConnection(t *testing.T) {
	onStreams(t, func(t *testing.T, network string) {
		proceed := make(chan struct{})
		s := testutil.NewEchoServer(t, network)
		c := newClient(t, &reconnect.Config{Remote: s.Remote(),
			OnSession: func(context.Context) error { // keeps the loop from noticing
				<-proceed
				return nil
			}})
		require.NoError(t, c.Connect())
		require.NoError(t, c.Close())
		for name, method := range onConnection() {
			if name != "empty Read" && name != "empty Write" {
				assert.ErrorIs(t, method(c), reconnect.ErrNotConnected, name)
			}
		}
		require.NoError(t, c.Close(), "again")
		close(proceed)
	})
}

func TestCloseDoesNotCutAWaitShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		c := connectPipe(t, p, func(cfg *reconnect.Config) { cfg.ReconnectDelay = time.Hour; cfg.WaitReconnect = nil })
		begin := time.Now()
		require.NoError(t, c.Close())
		synctest.Wait()
		require.Equal(t, reconnect.Waiting, c.State())
		require.NoError(t, c.Close())
		require.NoError(t, c.WaitConnected(context.Background()))
		assert.Equal(t, time.Hour, time.Since(begin))
		assert.NoError(t, c.Status().LastError, "a Close is no failure")
	})
}

// stubbornConn answers reads and writes only when the test wants it to.
type stubbornConn struct {
	net.Conn
	late chan error
}

func (c *stubbornConn) Read([]byte) (int, error)  { return 0, <-c.late }
func (c *stubbornConn) Write([]byte) (int, error) { return 0, <-c.late }

func TestLateReportAboutAnOldConnectionLeavesTheCurrentOneAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, nil)
		rec := testutil.NewRecorder()
		cfg := pipeConfig(p)
		var conns []*stubbornConn
		cfg.Dialer = wrapped(p, func(conn net.Conn) net.Conn {
			conns = append(conns, &stubbornConn{Conn: conn, late: make(chan error)})
			return conns[len(conns)-1]
		})
		cfg.OnSession = func(ctx context.Context) error {
			rec.Record("session")
			<-ctx.Done()
			rec.Record("end")
			return nil
		}
		c := newClient(t, cfg)
		require.NoError(t, c.Connect())
		synctest.Wait()

		late := make(chan error, 2)
		go func() { _, err := c.Read(make([]byte, 1)); late <- err }()
		go func() { _, err := c.Write(make([]byte, 1)); late <- err }()
		synctest.Wait()
		require.NoError(t, c.Reconnect())
		require.NoError(t, rec.WaitFor(guarded(t), "session", 2))
		conns[0].late <- io.EOF
		conns[0].late <- io.ErrClosedPipe
		require.Error(t, <-late)
		require.Error(t, <-late)
		time.Sleep(time.Hour)
		assert.Equal(t, 2, p.Dials())
		rec.AssertExactly(t, "session", "end", "session")
		assert.NotNil(t, c.RemoteAddr())
	})
}

func TestConnectionDroppedOnRequestIsNoErrorToReport(t *testing.T) {
	for name, drop := range map[string]func(*reconnect.Client){
		"Close":     func(c *reconnect.Client) { assert.NoError(t, c.Close()) },
		"Reconnect": func(c *reconnect.Client) { assert.NoError(t, c.Reconnect()) },
	} {
		for how, session := range map[string]func(context.Context, *reconnect.Client) error{
			"none": nil,
			"ctx":  func(ctx context.Context, _ *reconnect.Client) error { <-ctx.Done(); return ctx.Err() },
			"Read": func(_ context.Context, c *reconnect.Client) error {
				_, err := c.Read(make([]byte, 1))
				return err
			},
		} {
			bubble(t, name+" "+how, func(t *testing.T) {
				p := newPipe(t, nil)
				var c *reconnect.Client
				cfg := pipeConfig(p)
				if session != nil {
					cfg.OnSession = func(ctx context.Context) error { return session(ctx, c) }
				}
				cfg.OnError = func(_ context.Context, _ net.Conn, err error) error {
					t.Errorf("told of %v", err)
					return err
				}
				c = newClient(t, cfg)
				require.NoError(t, c.Connect())
				for n := 2; n < 5; n++ {
					synctest.Wait()
					drop(c)
					require.NoError(t, p.WaitDials(guarded(t), n))
				}
				require.NoError(t, c.Shutdown(guarded(t)))
			})
		}
	}
}

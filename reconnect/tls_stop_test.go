package reconnect_test

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/reconnect"
)

func TestShutdownOverTLSWithAPeerThatDoesNotReadTakesTheGraceOnce(t *testing.T) {
	const grace = bound
	for name, tc := range map[string]struct{ writes, says bool }{
		"idle":                {false, false},
		"in a Write":          {true, false},
		"OnDisconnect writes": {false, true},
	} {
		bubble(t, name, func(t *testing.T) {
			p, pool := muteTLSPipe(t)
			c := connectPipe(t, p, func(cfg *reconnect.Config) {
				cfg.TLSConfig = &tls.Config{RootCAs: pool}
				cfg.WriteTimeout = grace
				if tc.says {
					cfg.OnDisconnect = func(_ context.Context, conn net.Conn) error {
						_, err := conn.Write([]byte("bye"))
						return err
					}
				}
			})
			written := make(chan error, 1)
			if tc.writes {
				go func() { _, err := writeOne(c); written <- err }()
				synctest.Wait()
			}
			begin := time.Now()
			require.NoError(t, c.Shutdown(context.Background()))
			assert.LessOrEqual(t, time.Since(begin), grace+grace/10)
			if tc.writes {
				require.ErrorIs(t, receive(t, written), reconnect.ErrClosed)
			}
		})
	}
}

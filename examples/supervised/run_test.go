package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/internal/demotest"
	"darvaza.org/x/net/testutil"
)

// story is what the program prints.
const story = `client: connected
client: event 1, which is acknowledged
client: has heard nothing for a while, and sends a ping
server: answers, and falls silent
client: pong
client: has heard nothing for a while, and sends a ping
client: no answer, so the connection is dropped
client: connected
client: event 2, which is acknowledged
client: has heard nothing for a while, and sends a ping
client: pong
client: stopped after 2 sessions
`

// playInMemory plays the story within a bubble.
func playInMemory(ctx context.Context, t *testing.T, out io.Writer) error {
	t.Helper()
	log := &transcript{w: out}
	pipe := testutil.Pipe((&server{log: log}).serve)
	defer func() { assert.NoError(t, pipe.Close()) }()
	return play(ctx, link{remote: "server.example:7", dialer: pipe}, defaultPace, log)
}

func TestASilentServerIsDroppedOnceAPingIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		start := time.Now()
		require.NoError(t, playInMemory(t.Context(), t, &out))
		assert.Equal(t, story, out.String())
		// two pings and no answer in the first session, one in the second
		assert.Equal(t, 3*defaultPace.idle+defaultPace.patience+delay+atOnce, time.Since(start))
	})
}

func TestAnInterruptAtAnyLineIsACleanEnd(t *testing.T) {
	for n := range strings.Count(story, "\n") {
		synctest.Test(t, func(t *testing.T) {
			demotest.StopAtLine(t, story, n+1, func(ctx context.Context, out io.Writer) error {
				return playInMemory(ctx, t, out)
			})
		})
	}
}

func TestAServerThatTalksIsNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		const events = 20
		received := make(chan string, 1)
		pipe := testutil.Pipe(func(conn net.Conn) {
			for range events {
				_, _ = io.WriteString(conn, "event 7\n")
				time.Sleep(defaultPace.idle - 1)
				ack := make([]byte, len("ack 7\n"))
				_, err := io.ReadFull(conn, ack)
				assert.NoError(t, err)
				assert.Equal(t, "ack 7\n", string(ack))
			}
			received <- out.String()
			_, _ = io.Copy(io.Discard, conn)
		})
		defer func() { assert.NoError(t, pipe.Close()) }()

		client, err := newClient(t.Context(), link{"server.example:7", pipe}, defaultPace, &transcript{w: &out}, func() {})
		require.NoError(t, err)
		require.NoError(t, client.Connect())
		assert.NotContains(t, <-received, "sends a ping")
		assert.NoError(t, client.Shutdown(t.Context()))
	})
}

func TestAnEventThatIsCutOffIsNotAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		pipe := testutil.Pipe(func(conn net.Conn) { _, _ = io.WriteString(conn, "event 1\nevent 2") })
		defer func() { assert.NoError(t, pipe.Close()) }()
		client, err := newClient(t.Context(), link{"server.example:7", pipe}, defaultPace, &transcript{w: &out}, func() {})
		require.NoError(t, err)
		require.NoError(t, client.Connect())
		synctest.Wait()
		assert.NoError(t, client.Shutdown(t.Context()))
		assert.Contains(t, out.String(), "event 1")
		assert.NotContains(t, out.String(), "event 2")
	})
}

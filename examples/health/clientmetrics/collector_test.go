package clientmetrics_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/health/clientmetrics"
	"darvaza.org/x/net/reconnect"
)

// fixed is a source that always says the same.
type fixed reconnect.Status

func (f fixed) Status() reconnect.Status { return reconnect.Status(f) }

var waiting = fixed{
	State:        reconnect.Waiting,
	Since:        time.Unix(1000, 0),
	Remote:       "example.com:7",
	Attempt:      3,
	LastError:    errors.New("refused"),
	LastErrorAt:  time.Unix(1000, 5e8),
	NextAttempt:  time.Unix(1002, 0),
	Attempts:     12,
	Failures:     5,
	Sessions:     7,
	BytesRead:    100,
	BytesWritten: 200,
}

const waitingText = `
# HELP reconnect_client_attempt Number of the attempt since the last session that was stable.
# TYPE reconnect_client_attempt gauge
reconnect_client_attempt 3
# HELP reconnect_client_attempts_total Attempts to connect.
# TYPE reconnect_client_attempts_total counter
reconnect_client_attempts_total 12
# HELP reconnect_client_failures_total Attempts that failed, other than by being cut short on request.
# TYPE reconnect_client_failures_total counter
reconnect_client_failures_total 5
# HELP reconnect_client_last_error_timestamp_seconds When the latest failure happened; missing before the first.
# TYPE reconnect_client_last_error_timestamp_seconds gauge
reconnect_client_last_error_timestamp_seconds 1000.5
# HELP reconnect_client_next_attempt_timestamp_seconds When the next attempt is due; missing unless the client waits for it.
# TYPE reconnect_client_next_attempt_timestamp_seconds gauge
reconnect_client_next_attempt_timestamp_seconds 1002
# HELP reconnect_client_read_bytes_total Bytes read through the client.
# TYPE reconnect_client_read_bytes_total counter
reconnect_client_read_bytes_total 100
# HELP reconnect_client_remote_info The remote in use, or the one tried last.
# TYPE reconnect_client_remote_info gauge
reconnect_client_remote_info{remote="example.com:7"} 1
# HELP reconnect_client_sessions_total Connections that were ready for use.
# TYPE reconnect_client_sessions_total counter
reconnect_client_sessions_total 7
# HELP reconnect_client_state What the client is doing: 1 for its state, 0 for the others.
# TYPE reconnect_client_state gauge
reconnect_client_state{state="connected"} 0
reconnect_client_state{state="connecting"} 0
reconnect_client_state{state="idle"} 0
reconnect_client_state{state="stopped"} 0
reconnect_client_state{state="waiting"} 1
# HELP reconnect_client_state_since_timestamp_seconds When the client entered its state.
# TYPE reconnect_client_state_since_timestamp_seconds gauge
reconnect_client_state_since_timestamp_seconds 1000
# HELP reconnect_client_up Whether the client is connected.
# TYPE reconnect_client_up gauge
reconnect_client_up 0
# HELP reconnect_client_written_bytes_total Bytes written through the client.
# TYPE reconnect_client_written_bytes_total counter
reconnect_client_written_bytes_total 200
`

func TestAScrapeTellsTheWholeStatus(t *testing.T) {
	require.NoError(t, testutil.CollectAndCompare(clientmetrics.New(waiting), strings.NewReader(waitingText)))
}

func TestAConnectedClientIsUp(t *testing.T) {
	const want = `
# HELP reconnect_client_connected_since_timestamp_seconds When the connection became ready for use; missing without one.
# TYPE reconnect_client_connected_since_timestamp_seconds gauge
reconnect_client_connected_since_timestamp_seconds 2000
# HELP reconnect_client_up Whether the client is connected.
# TYPE reconnect_client_up gauge
reconnect_client_up 1
`
	st := fixed{State: reconnect.Connected, ConnectedSince: time.Unix(2000, 0)}
	require.NoError(t, testutil.CollectAndCompare(clientmetrics.New(st), strings.NewReader(want),
		"reconnect_client_up",
		"reconnect_client_connected_since_timestamp_seconds",
		"reconnect_client_last_error_timestamp_seconds",
		"reconnect_client_next_attempt_timestamp_seconds"))
}

func TestTheMetricsAreNamedAsPrometheusAsks(t *testing.T) {
	problems, err := testutil.CollectAndLint(clientmetrics.New(waiting))
	require.NoError(t, err)
	assert.Empty(t, problems)
}

func TestARegistryHoldsSeveralClientsApartByALabel(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(clientmetrics.New(waiting)))
	var again prometheus.AlreadyRegisteredError
	require.ErrorAs(t, registry.Register(clientmetrics.New(waiting)), &again)

	registry = prometheus.NewPedanticRegistry()
	for _, name := range []string{"orders", "stock"} {
		labelled := prometheus.WrapRegistererWith(prometheus.Labels{"client": name}, registry)
		require.NoError(t, labelled.Register(clientmetrics.New(waiting)))
	}
	n, err := testutil.GatherAndCount(registry, "reconnect_client_up")
	require.NoError(t, err)
	assert.Equal(t, 2, n)
}

func TestWhatCannotBeReportedFailsTheScrape(t *testing.T) {
	for name, c := range map[string]prometheus.Collector{
		"no source":    clientmetrics.New(nil),
		"not in UTF-8": clientmetrics.New(fixed{Remote: "unix:/\xff"}),
	} {
		registry := prometheus.NewPedanticRegistry()
		require.NoError(t, registry.Register(c), name)
		_, err := registry.Gather()
		assert.Error(t, err, name)
	}
}

func TestAClientMayBeScrapedByManyWhileItStops(t *testing.T) {
	client, err := reconnect.New(&reconnect.Config{Remote: "127.0.0.1:1", Dialer: refusing{}})
	require.NoError(t, err)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(clientmetrics.New(client))
	require.NoError(t, client.Connect())

	var scrapes sync.WaitGroup
	for range 8 {
		scrapes.Go(func() {
			for range 50 {
				_, err := registry.Gather()
				assert.NoError(t, err)
			}
		})
	}
	require.NoError(t, client.Shutdown(t.Context()))
	scrapes.Wait()
}

func ExampleNew() {
	registry := prometheus.NewRegistry()
	registry.MustRegister(clientmetrics.New(waiting)) // or a *reconnect.Client

	families, err := registry.Gather()
	if err != nil {
		_, _ = os.Stdout.WriteString(err.Error())
	}
	for _, f := range families {
		if strings.HasSuffix(f.GetName(), "_total") {
			_, _ = os.Stdout.WriteString(f.GetName() + "\n")
		}
	}
	// Output:
	// reconnect_client_attempts_total
	// reconnect_client_failures_total
	// reconnect_client_read_bytes_total
	// reconnect_client_sessions_total
	// reconnect_client_written_bytes_total
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/internal/demotest"
	"darvaza.org/x/net/reconnect"
	"darvaza.org/x/net/testutil"
)

func TestMain(m *testing.M) { demotest.Main(m, main) }

func ask(st reconnect.Status) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	healthz(func() reconnect.Status { return st })(w, nil)
	return w
}

func TestOnlyAConnectedClientIsHealthy(t *testing.T) {
	for _, state := range []reconnect.State{
		reconnect.Idle, reconnect.Connecting, reconnect.Waiting, reconnect.Stopped,
	} {
		assert.Equal(t, http.StatusServiceUnavailable, ask(reconnect.Status{State: state}).Code, "%v", state)
	}
	assert.Equal(t, http.StatusOK, ask(reconnect.Status{State: reconnect.Connected}).Code)
}

func TestTheReportTellsWhatIsKnownAndNothingElse(t *testing.T) {
	w := ask(reconnect.Status{
		State:       reconnect.Waiting,
		Remote:      "example.com:7",
		Attempt:     3,
		LastError:   errors.New("refused"),
		LastErrorAt: time.Unix(1000, 0).UTC(),
		NextAttempt: time.Unix(1002, 0).UTC(),
	})
	assert.JSONEq(t, `{
		"state": "waiting", "remote": "example.com:7", "attempt": 3,
		"last_error": "refused", "last_error_at": "1970-01-01T00:16:40Z",
		"next_attempt": "1970-01-01T00:16:42Z"
	}`, w.Body.String())
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
}

func TestThePagesFollowTheClient(t *testing.T) {
	server := testutil.NewServer(t, "unix", greet)
	m, err := start(t.Context(), "127.0.0.1:0", server.Remote(), reconnect.NewExponentialWaiter(time.Millisecond, 0))
	require.NoError(t, err)
	defer func() { assert.NoError(t, m.stop()) }()

	for range 2 {
		require.NoError(t, m.await(t.Context(), connected))
		page, err := m.get(t.Context(), "/healthz")
		require.NoError(t, err)
		assert.Contains(t, page, "200 OK\n")

		server.Stop()
		require.NoError(t, m.await(t.Context(), waiting))
		page, err = m.get(t.Context(), "/healthz")
		require.NoError(t, err)
		status, body, _ := strings.Cut(page, "\n")
		assert.Equal(t, "503 Service Unavailable", status)
		var r struct{ Remote, LastError string }
		require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(body, "last_error\"", "lasterror\"")), &r))
		assert.Equal(t, server.Remote(), r.Remote)
		assert.NotEmpty(t, r.LastError)

		page, err = m.get(t.Context(), "/metrics")
		require.NoError(t, err)
		assert.Contains(t, page, "\nreconnect_client_up 0\n")
		require.NoError(t, server.Restart())
	}
}

func TestWhatCannotStartLeavesNothingBehind(t *testing.T) {
	testutil.CheckLeaks(t)
	waiter := reconnect.NewConstantWaiter(0)
	_, err := start(t.Context(), "127.0.0.1:0", "", waiter)
	assert.ErrorContains(t, err, "Remote")
	_, err = start(t.Context(), "127.0.0.1:nowhere", "127.0.0.1:1", waiter)
	assert.Error(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = start(ctx, "127.0.0.1:0", "127.0.0.1:1", waiter)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestTheDemoShowsAllThreePages(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demonstrate(t.Context(), &out, "127.0.0.1:0"))
	for _, want := range []string{
		"GET /healthz: 200 OK\n",
		"GET /healthz: 503 Service Unavailable\n",
		"GET /metrics, without the comments:\n",
		"\nreconnect_client_up 1\n",
		"\nreconnect_client_sessions_total 2\n",
	} {
		assert.Contains(t, out.String(), want)
	}
}

func TestTheDemoMayBeCutShort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.NoError(t, demonstrate(ctx, new(bytes.Buffer), "127.0.0.1:0"))
}

func TestTheProgramServesItsPagesUntilAnInterrupt(t *testing.T) {
	server := testutil.NewServer(t, "tcp", greet)
	demotest.Interrupt(t, demotest.Program(t, "-remote", server.Remote()), func(line string) bool {
		url, ok := strings.CutSuffix(line, "/metrics")
		if !ok {
			return false
		}
		page, err := (&monitor{url: url}).get(t.Context(), "/metrics")
		assert.NoError(t, err)
		assert.Contains(t, page, "reconnect_client_up")
		return true
	})
}

func TestTheProgramSaysWhyItFails(t *testing.T) {
	out, err := demotest.Program(t, "-remote", "nonsense").CombinedOutput()
	assert.Equal(t, 1, demotest.ExitCode(t, err))
	assert.Contains(t, string(out), `nonsense`)
}

package main

import (
	"encoding/json"
	"net/http"
	"time"

	"darvaza.org/x/net/reconnect"
)

// A report is what /healthz says. Times that there aren't are left out.
type report struct {
	State          reconnect.State `json:"state"`
	Since          time.Time       `json:"since,omitzero"`
	Remote         string          `json:"remote"`
	Attempt        int             `json:"attempt"`
	LastError      string          `json:"last_error,omitempty"`
	LastErrorAt    time.Time       `json:"last_error_at,omitzero"`
	NextAttempt    time.Time       `json:"next_attempt,omitzero"`
	ConnectedSince time.Time       `json:"connected_since,omitzero"`
}

// healthz answers 200 while the client is connected and 503 otherwise, with a
// report either way. Errors can show addresses and names: it is a page for
// one's own network.
func healthz(status func() reconnect.Status) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		st := status()
		r := report{
			State:          st.State,
			Since:          st.Since,
			Remote:         st.Remote,
			Attempt:        st.Attempt,
			LastErrorAt:    st.LastErrorAt,
			NextAttempt:    st.NextAttempt,
			ConnectedSince: st.ConnectedSince,
		}
		if st.LastError != nil {
			r.LastError = st.LastError.Error()
		}
		body, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}

		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if st.State != reconnect.Connected {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write(append(body, '\n'))
	}
}

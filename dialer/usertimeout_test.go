package dialer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"darvaza.org/core"
	"darvaza.org/x/net/dialer"
)

func TestUserTimeoutRefusesWhatIsNotPositive(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	for _, d := range []time.Duration{0, -time.Second} {
		_, err := dialer.New(dialer.Config{OnSocket: dialer.UserTimeout(d)}).
			DialContext(t.Context(), "tcp", ln.Addr().String())
		assert.ErrorIs(t, err, core.ErrInvalid)
		assert.ErrorContains(t, err, "UserTimeout: "+d.String())
	}
}

func TestUserTimeoutWithoutASocketIsAnError(t *testing.T) {
	assert.ErrorIs(t, dialer.UserTimeout(time.Second)(t.Context(), nil), core.ErrInvalid)
}

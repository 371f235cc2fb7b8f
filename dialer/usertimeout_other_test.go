//go:build !linux

package dialer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/dialer"
)

func TestUserTimeoutIsUnsupportedHere(t *testing.T) {
	ln := listenTCP(t)
	serve(t, ln, hold)

	_, err := dialer.New(dialer.Config{OnSocket: dialer.UserTimeout(time.Second)}).
		DialContext(t.Context(), "tcp", ln.Addr().String())
	assert.ErrorIs(t, err, errors.ErrUnsupported)
}

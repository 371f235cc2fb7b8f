package dialer_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/dialer"
)

func TestParseRemoteDoesNotCountTheAtOfAnAbstractName(t *testing.T) {
	longest := "@" + strings.Repeat("a", 107)
	assert.NoError(t, dialer.ValidateRemote(longest))
	assert.NoError(t, dialer.ValidateRemote("unix:"+longest))
	assert.ErrorIs(t, dialer.ValidateRemote(longest+"a"), dialer.ErrNameTooLong)
	assert.Equal(t, 107, dialer.MaxUNIXSocketPathLength)
}

//go:build !unix

package testutil

import (
	"errors"
	"fmt"
	"net"
	"runtime"
)

// shrinkBacklog has nothing to try here: a full queue refuses.
func shrinkBacklog(*net.TCPListener) error {
	return fmt.Errorf("dials can't be made to hang on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

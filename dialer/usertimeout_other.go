//go:build !linux

package dialer

import "errors"

func setUserTimeout(uintptr, int) error { return errors.ErrUnsupported }

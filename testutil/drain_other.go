//go:build !unix

package testutil

import "syscall"

// drain does nothing where there is no read that is sure not to block.
func drain(syscall.Conn) {}

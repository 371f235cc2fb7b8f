package main

import (
	"syscall"
	"time"
)

// raiseDescriptors returns how many files may be open: any number.
func raiseDescriptors() int {
	return 1 << 30
}

// cpuTime returns what the process has used so far, in user and kernel mode.
func cpuTime() time.Duration {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0
	}
	var created, ended, kernel, user syscall.Filetime
	if syscall.GetProcessTimes(self, &created, &ended, &kernel, &user) != nil {
		return 0
	}
	return filetime(kernel) + filetime(user)
}

// filetime counts in steps of 100 ns.
func filetime(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}

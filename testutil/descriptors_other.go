//go:build !linux && !darwin

package testutil

// descriptorDir is empty: /dev/fd of the BSDs shows three of them unless a file
// system is mounted there, and Windows has none.
const descriptorDir = ""

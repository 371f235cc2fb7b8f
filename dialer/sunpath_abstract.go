//go:build linux || windows

package dialer

// MaxUNIXSocketPathLength is the length in bytes of the longest name a Unix
// socket may have on this system, the NUL that ends it not included. The '@'
// of an abstract name is not counted.
const MaxUNIXSocketPathLength = 107

// abstractNames says whether '@' opens a name outside of the file system.
const abstractNames = true

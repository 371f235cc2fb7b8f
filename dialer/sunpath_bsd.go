//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package dialer

// MaxUNIXSocketPathLength is the length in bytes of the longest name a Unix
// socket may have on this system, the NUL that ends it not included. There
// are no abstract names here: an '@' counts like any other byte.
const MaxUNIXSocketPathLength = 103

// abstractNames says whether '@' opens a name outside of the file system.
const abstractNames = false

package testutil

// descriptorDir lists the descriptors of the process that reads it.
const descriptorDir = "/proc/self/fd"

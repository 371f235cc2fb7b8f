package testutil

import (
	"runtime"
	"runtime/debug"
	"sync"
)

// mostGarbage bounds what a process may grow by while its garbage isn't collected,
// in bytes. Something that runs on may make a lot of it.
const mostGarbage = 64 << 20

// collector holds the garbage collector of the process up, for as long as anybody
// wants that.
var collector struct {
	mu      sync.Mutex // guards the fields below
	holders int
	percent int
	limit   int64
}

// holdCollector begins a time without garbage collections.
func holdCollector() {
	c := &collector
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holders++; c.holders > 1 {
		return
	}
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	c.limit = debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(c.limit, int64(now.Sys-now.HeapReleased)+mostGarbage))
	c.percent = debug.SetGCPercent(-1)
}

// releaseCollector ends what holdCollector began.
func releaseCollector() {
	c := &collector
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holders--; c.holders > 0 {
		return
	}
	debug.SetGCPercent(c.percent)
	debug.SetMemoryLimit(c.limit)
}

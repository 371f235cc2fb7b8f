package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// env is what all scenarios share.
type env struct {
	*options
	log  io.Writer       // notices and progress
	done <-chan struct{} // closed when nobody wants the figures any more

	dir     string // for Unix sockets
	sockets atomic.Int64
}

// descriptorsPerClient counts both ends of a connection, as the server lives
// in the same process.
const descriptorsPerClient = 2

// spareDescriptors is what listeners, the poller and files take.
const spareDescriptors = 200

func newEnv(ctx context.Context, opts *options, log io.Writer) (*env, error) {
	// a short path: a socket's name has to fit in about a hundred bytes
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	copied := *opts
	e := &env{options: &copied, log: log, done: ctx.Done(), dir: dir}
	if e.quick {
		e.pairs = min(e.pairs, 2)
		e.clients = min(e.clients, 50)
	}
	if n := (raiseDescriptors() - spareDescriptors) / descriptorsPerClient; n < e.clients {
		e.clients = max(n, 5)
		e.notice("only %d clients, the limit of open files (ulimit -Hn) allows no more", e.clients)
	}
	return e, nil
}

func (e *env) close() {
	_ = os.RemoveAll(e.dir)
}

func (e *env) notice(format string, args ...any) {
	fmt.Fprintf(e.log, "bench: "+format+"\n", args...)
}

// socket returns an unused name for a Unix socket.
func (e *env) socket() string {
	return filepath.Join(e.dir, fmt.Sprintf("%d.sock", e.sockets.Add(1)))
}

// rest waits for as long as d, but not beyond the end of the run.
func (e *env) rest(d time.Duration) {
	select {
	case <-time.After(d):
	case <-e.done:
	}
}

// size returns how often to do something: n times, or a few times in quick
// mode.
func (e *env) size(n int) int {
	if e.quick {
		return min(n, 4)
	}
	return n
}

package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A page keeps what is written to it, and lets one wait for a text.
type page struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{}
}

func newPage() *page { return &page{changed: make(chan struct{})} }

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.changed)
	p.changed = make(chan struct{})
	return p.buf.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}

// waitFor blocks until the text stands there at least n times.
func (p *page) waitFor(t *testing.T, text string, n int) {
	t.Helper()
	for {
		p.mu.Lock()
		found, changed := strings.Count(p.buf.String(), text) >= n, p.changed
		p.mu.Unlock()
		if found {
			return
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatalf("%q never came: %s", text, p)
		}
	}
}

// A running is the program, run by a test in its own process.
type running struct {
	t        *testing.T
	in       *io.PipeWriter
	out, err *page
	cancel   context.CancelCauseFunc
	code     chan int
}

// begin starts the program. It is stopped with the test at the latest.
func begin(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	r, w := io.Pipe()
	p := &running{t: t, in: w, out: newPage(), err: newPage(), cancel: cancel, code: make(chan int, 1)}
	var done sync.WaitGroup
	done.Go(func() {
		p.code <- run(ctx, args, stdio{in: r, out: p.out, err: p.err})
	})
	t.Cleanup(func() {
		cancel(nil)
		_ = w.Close() // the reader too has to end
		done.Wait()
		_ = r.Close()
	})
	return p
}

func (p *running) write(text string) {
	p.t.Helper()
	_, err := io.WriteString(p.in, text)
	require.NoError(p.t, err)
}

// exit waits for the end and checks the exit code.
func (p *running) exit(want int) {
	p.t.Helper()
	select {
	case code := <-p.code:
		require.Equal(p.t, want, code, "stderr: %s", p.err)
	case <-p.t.Context().Done():
		p.t.Fatalf("it doesn't end: %s", p.err)
	}
}

// once runs the program on an input of that text, to its end.
func once(t *testing.T, input string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	out, err := newPage(), newPage()
	code = run(t.Context(), args, stdio{in: strings.NewReader(input), out: out, err: err})
	return code, out.String(), err.String()
}

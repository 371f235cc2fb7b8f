package main

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"darvaza.org/x/net/examples/internal/demotest"
)

// A running is the program, run by a test in its own process.
type running struct {
	t        *testing.T
	in       *io.PipeWriter
	out, err *demotest.Page
	cancel   context.CancelCauseFunc
	code     chan int
}

// begin starts the program. It is stopped with the test at the latest.
func begin(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	r, w := io.Pipe()
	p := &running{t: t, in: w, out: new(demotest.Page), err: new(demotest.Page), cancel: cancel, code: make(chan int, 1)}
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
	out, err := new(demotest.Page), new(demotest.Page)
	code = run(t.Context(), args, stdio{in: strings.NewReader(input), out: out, err: err})
	return code, out.String(), err.String()
}

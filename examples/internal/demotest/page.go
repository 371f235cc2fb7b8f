package demotest

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// A Page keeps what is written to it, and lets one wait for a text. The zero
// value is empty. Its methods may be called concurrently.
type Page struct {
	mu      sync.Mutex // guards the fields below
	buf     bytes.Buffer
	changed chan struct{} // closed by the next Write; nil when nobody waits
}

// Write adds to the page. It doesn't fail.
func (p *Page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
	return p.buf.Write(b)
}

// String is what was written so far.
func (p *Page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}

// WaitFor blocks until the text stands there at least n times, or the test ends.
func (p *Page) WaitFor(t *testing.T, text string, n int) {
	t.Helper()
	for {
		found, changed := p.find(text, n)
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

// find tells if the text stands there n times. If not, the channel is closed
// when the page has changed.
func (p *Page) find(text string, n int) (bool, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.Count(p.buf.String(), text) >= n {
		return true, nil
	}
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return false, p.changed
}

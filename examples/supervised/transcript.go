package main

import (
	"fmt"
	"io"
	"sync"
)

// A transcript is what both sides say they do, a line each.
type transcript struct {
	mu sync.Mutex // one line at a time
	w  io.Writer
}

func (t *transcript) client(format string, args ...any) {
	t.print("client: ", format, args)
}

func (t *transcript) server(format string, args ...any) {
	t.print("server: ", format, args)
}

func (t *transcript) print(who, format string, args []any) {
	line := who + fmt.Sprintf(format, args...) + "\n"
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = io.WriteString(t.w, line)
}

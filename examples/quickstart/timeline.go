package main

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// A timeline prints what happens, with the milliseconds since it began. Each
// line is one Write, so it may be used concurrently if the writer may.
type timeline struct {
	w     io.Writer
	began time.Time
}

// newTimeline prints the head of the table.
func newTimeline(w io.Writer) *timeline {
	_, _ = fmt.Fprintf(w, "%7s  %-6s  %3s  %s\n", "ms", "who", "try", "what happened")
	return &timeline{w: w, began: time.Now()}
}

func (t *timeline) server(what string) {
	t.print("server", 0, what)
}

// client prints something about the client, and to which attempt since it was
// last connected that belongs; 0 if to none.
func (t *timeline) client(try int, format string, args ...any) {
	t.print("client", try, fmt.Sprintf(format, args...))
}

func (t *timeline) print(who string, try int, what string) {
	number := ""
	if try > 0 {
		number = fmt.Sprint(try)
	}
	_, _ = fmt.Fprintf(t.w, "%7d  %-6s  %3s  %s\n", time.Since(t.began).Milliseconds(), who, number, what)
}

// brief is the innermost text of an error: the timeline says already what was
// being done.
func brief(err error) string {
	if err == nil {
		return "no error"
	}
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err.Error()
}

// plural is for one or more of a thing.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

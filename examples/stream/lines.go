package main

import (
	"bufio"
	"context"
	"io"

	"darvaza.org/x/net/reconnect/stream"
)

// maxLine is the longest thing that may be said, in bytes.
const maxLine = 1024

// maxHeard is the longest thing that is heard: who has joined by a line, ": ", and what
// was said.
const maxHeard = 2 * maxLine

// newLines makes a session that exchanges lines over conn until ctx ends. The peer's
// have at most longest bytes.
func newLines(ctx context.Context, conn io.ReadWriteCloser, longest int) *stream.StreamSession[string, string] {
	return &stream.StreamSession[string, string]{
		Conn:           conn,
		Context:        ctx,
		Split:          wholeLines,
		Marshal:        func(line string) ([]byte, error) { return []byte(line + "\n"), nil },
		Unmarshal:      func(line []byte) (string, error) { return string(line), nil },
		MaxMessageSize: longest,
	}
}

// wholeLines finds lines, but none that the end of the connection has cut off:
// nobody has said that.
func wholeLines(data []byte, _ bool) (advance int, line []byte, err error) {
	return bufio.ScanLines(data, false)
}

package main

import (
	"context"
	"io"

	"darvaza.org/x/net/reconnect/stream"
)

// maxLine is the longest thing that may be said, in bytes.
const maxLine = 1024

// newLines makes a session that exchanges lines over conn until ctx ends.
func newLines(ctx context.Context, conn io.ReadWriteCloser) *stream.StreamSession[string, string] {
	return &stream.StreamSession[string, string]{
		Conn:           conn,
		Context:        ctx,
		Marshal:        func(line string) ([]byte, error) { return []byte(line + "\n"), nil },
		Unmarshal:      func(line []byte) (string, error) { return string(line), nil },
		MaxMessageSize: maxLine,
	}
}

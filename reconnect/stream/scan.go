package stream

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"sync/atomic"
)

const (
	// framing is how much longer than its message a frame may be, in bytes.
	framing = 4 << 10
	// maxStalls is how many messages in a row may come out of no bytes at all.
	maxStalls = 100
)

// newScanner wraps the user's split so that nothing that it or the peer
// does makes a bufio.Scanner panic, spin, or grow beyond its bounds.
func newScanner(src *source, split bufio.SplitFunc, limit int) *bufio.Scanner {
	g := &splitGuard{src: src, split: split, limit: limit}
	scan := bufio.NewScanner(src)
	scan.Buffer(nil, min(limit, math.MaxInt/2-framing)+framing)
	scan.Split(g.next)
	return scan
}

// source is the conn as the scanner sees it. It doesn't touch a conn
// that is already closed: one that reconnects would serve the bytes of
// somebody else's session.
type source struct {
	ctx    context.Context // io.Reader has no place for it
	conn   io.Reader
	ended  bool          // the peer has ended the stream: nothing else is the end of its last message
	eof    chan struct{} // closed then
	failed bool          // a Read has
	cut    bool          // the last message is only one because of that

	stopped func() error // of the session
	moved   *atomic.Bool // for linger
}

// Read tells of the end apart from bytes that come along with it. So Split sees atEOF
// with nothing but what it has left, or kept, before.
func (s *source) Read(p []byte) (int, error) {
	switch {
	case s.ended:
		return 0, io.EOF
	case s.ctx.Err() != nil:
		return 0, context.Cause(s.ctx)
	}
	n, err := s.conn.Read(p)
	if n > 0 {
		s.moved.Store(true)
	}
	s.failed = err != nil && err != io.EOF
	// Some conns say io.EOF of their own end, too.
	if err == io.EOF && 0 <= n && n <= len(p) && s.ctx.Err() == nil && s.stopped() == nil {
		s.ended = true
		close(s.eof)
		if n > 0 {
			err = nil
		}
	}
	return n, err
}

// splitGuard calls a SplitFunc, and makes an error of what the scanner would put up
// with.
type splitGuard struct {
	src    *source
	split  bufio.SplitFunc
	limit  int
	stalls int
}

// next goes on after a step that only skips. The scanner would read first, and drop
// what is left at the end of the stream.
func (g *splitGuard) next(data []byte, atEOF bool) (int, []byte, error) {
	for skipped := 0; ; {
		advance, token, err := g.step(data[skipped:], atEOF)
		if err == nil && token == nil && 0 < advance && advance < len(data)-skipped {
			skipped += advance
			continue
		}
		if advance >= 0 {
			advance = skipped + min(advance, len(data)-skipped+1) // too far stays too far
		}
		return advance, token, err
	}
}

func (g *splitGuard) step(data []byte, atEOF bool) (int, []byte, error) {
	// The scanner says atEOF after any error. But a line cut short by a reset
	// isn't a line, and without atEOF there is nothing to split in no bytes.
	eof := atEOF && g.src.ended
	if !eof && len(data) == 0 {
		return 0, nil, nil
	}
	advance, token, err := g.split(data, eof)
	g.src.cut = eof && len(data)+len(token) > 0
	switch {
	case err == io.EOF && len(data) > 0:
		// The scanner would take it for the end of the stream, all well. It comes
		// from an io.ReadFull of what is there of a message.
		return 0, nil, fmt.Errorf("split: %w", io.ErrUnexpectedEOF)
	case err != nil && err != bufio.ErrFinalToken:
		return advance, token, err
	case len(token) > g.limit:
		return 0, nil, bufio.ErrTooLong
	case advance != 0 || err != nil:
		g.stalls = 0
	case token != nil:
		if g.stalls++; g.stalls > maxStalls {
			return 0, nil, io.ErrNoProgress
		}
	case eof && len(data) > 0:
		// The framing wants more than there will ever be.
		return 0, nil, io.ErrUnexpectedEOF
	}
	return advance, token, err
}

package stream

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"darvaza.org/core"
	"darvaza.org/x/net/lifecycle"
)

var (
	// ErrClosed is matched by the error of a Send, SendContext or TrySend that
	// came when the session no longer took messages. It matches
	// [net.ErrClosed] and [fs.ErrClosed] as well.
	ErrClosed = lifecycle.ErrClosed

	// ErrQueueFull is the error of [StreamSession.TrySend] while as many messages
	// wait as QueueSize allows. A later try may succeed.
	ErrQueueFull = errors.New("stream: queue full")
)

// errInvalid makes an error that matches core.ErrInvalid, which is fs.ErrInvalid.
func errInvalid(format string, args ...any) error {
	return fmt.Errorf("stream: %s: %w", fmt.Sprintf(format, args...), core.ErrInvalid)
}

// errTooLong names the limit that a message of the peer exceeds.
func errTooLong(limit int) error {
	return fmt.Errorf("stream: message exceeds MaxMessageSize, %d bytes: %w", limit, bufio.ErrTooLong)
}

// A cutError is that of Unmarshal about a message that the peer's end has cut off. It
// is Temporary: an unknown error of Unmarshal would weigh more than that end otherwise.
type cutError struct {
	err error
}

func (e *cutError) Error() string {
	return "stream: Unmarshal of what the end of the stream has cut off: " + e.err.Error()
}

func (e *cutError) Unwrap() []error { return []error{io.ErrUnexpectedEOF, e.err} }

func (*cutError) Temporary() bool { return true }

package dialer

import (
	"context"
	"net"
	"os"
	"strings"
)

// dialError tells why no address of a name could be reached.
type dialError struct {
	network string
	address string
	causes  []error
}

// newDialError puts the end of ctx, if that is what cut the dial short, in
// front of the causes: the first of them is the one that errors.As finds, and
// a timeout has to be seen also when some addresses failed in other ways.
func newDialError(ctx context.Context, network, address string, causes []error) error {
	if err := end(ctx); err != nil {
		causes = append([]error{err}, causes...)
	}
	return &dialError{network, address, causes}
}

// Error names the remote, and then each address with its cause.
func (e *dialError) Error() string {
	var b strings.Builder
	b.WriteString("dialer: dial ")
	b.WriteString(e.network)
	b.WriteByte(' ')
	b.WriteString(e.address)

	separator := ": "
	for _, cause := range e.causes {
		b.WriteString(separator)
		b.WriteString(cause.Error())
		separator = "; "
	}
	return b.String()
}

// Unwrap exposes the causes to errors.Is and errors.As.
func (e *dialError) Unwrap() []error { return e.causes }

// asTimeout has a plain dial that took too long match context.DeadlineExceeded. The
// standard dialer sets the deadline on the socket as well, and an error of that,
// when it comes first, doesn't.
func asTimeout(err error) error {
	op, ok := err.(*net.OpError)
	if !ok || op.Err != os.ErrDeadlineExceeded { // one deeper down is of something else
		return err
	}
	timeout := *op
	timeout.Err = timeoutError{op.Err}
	return &timeout
}

// timeoutError is the time-out of a socket, and of a context as well.
type timeoutError struct{ error }

func (e timeoutError) Unwrap() error        { return e.error }
func (e timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
func (e timeoutError) Timeout() bool        { return true }
func (e timeoutError) Temporary() bool      { return true }

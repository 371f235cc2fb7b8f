package main

import (
	"errors"
	"fmt"
	"io"

	"darvaza.org/x/net/reconnect"
)

// Exit codes. A signal adds its number to 128, see signalError.
const (
	exitOK      = 0
	exitFailure = 1
)

// A finalError ends the program. It tells of an error but doesn't match it: an
// EPIPE of the standard output isn't one of the network, and worth no other
// attempt.
type finalError struct {
	text string
}

func final(what string, err error) error {
	return &finalError{fmt.Sprintf("%s: %v", what, err)}
}

func (e *finalError) Error() string { return e.text }
func (*finalError) Unwrap() error   { return reconnect.ErrDoNotReconnect }

// errDone ends the program well.
var errDone = reconnect.ErrDoNotReconnect

// conclude gives the exit code for the reason why the client has stopped, and
// tells what went wrong.
func conclude(w io.Writer, reason error, unsent int) int {
	var sig *signalError
	switch {
	case errors.As(reason, &sig):
		return sig.exitCode()
	case reason != nil:
		_, _ = fmt.Fprintln(w, "rnc:", reason)
	}
	if unsent > 0 {
		_, _ = fmt.Fprintf(w, "rnc: read from the standard input but not sent: %d bytes\n", unsent)
	}
	if reason != nil || unsent > 0 {
		return exitFailure
	}
	return exitOK
}

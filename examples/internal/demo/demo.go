// Package demo has what the demonstrations among the examples share: how a
// program that plays a story is started from a terminal, and how it ends.
//
// A program of your own would have these few lines in its main function.
// Everything about connections is in the examples themselves.
package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"darvaza.org/x/net/reconnect"
)

// Main is the main function of a program: it lets play write its story to the
// standard output, under a context that Ctrl-C and SIGTERM cancel, and waits for
// its end.
//
// A play that returns nil, or the error of a stop that was asked for, has ended
// well and Main returns. Any other error is printed, with the name in front, and
// ends the process with an exit code of 1.
func Main(name string, play func(ctx context.Context, out io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C doesn't wait for anything

	if err := play(ctx, os.Stdout); !reconnect.IsNonError(err) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

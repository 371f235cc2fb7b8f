package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/mattn/go-isatty"
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // until the process ends
		sig := <-signals
		signal.Stop(signals) // a second one doesn't wait for anything
		cancel(&signalError{sig})
	}()

	os.Exit(run(ctx, os.Args[1:], stdio{
		in:       os.Stdin,
		out:      os.Stdout,
		err:      os.Stderr,
		terminal: isatty.IsTerminal(os.Stderr.Fd()) || isatty.IsCygwinTerminal(os.Stderr.Fd()),
	}))
}

// A signalError is the cause of a stop by a signal.
type signalError struct {
	signal os.Signal
}

func (e *signalError) Error() string { return fmt.Sprintf("stopped by signal: %s", e.signal) }

// exitCode is that which a shell shows for a program killed by the signal.
func (e *signalError) exitCode() int {
	if number, ok := e.signal.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return exitFailure
}

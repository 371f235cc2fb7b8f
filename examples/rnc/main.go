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

	std := stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: isTerminal(os.Stderr)}
	if std.terminal && isTerminal(os.Stdout) {
		std.out, std.err = share(std.out, std.err)
	}
	os.Exit(run(ctx, os.Args[1:], std))
}

func isTerminal(f *os.File) bool {
	return isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd())
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

package main

import (
	"context"
	"io"
)

func runRivals(ctx context.Context, opts *options, stdout, stderr io.Writer, lines io.Writer) error {
	return nil
}

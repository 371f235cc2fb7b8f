package main

import (
	"io"
	"sync/atomic"
)

// A console is a terminal that both outputs of a program go to. What the standard
// output has left in the middle of a line, a prompt say, is not to be written on.
type console struct {
	midLine atomic.Bool
}

// share makes one of the two outputs. Each write to the standard error is for a line
// of its own then.
func share(out, err io.Writer) (io.Writer, io.Writer) {
	c := new(console)
	return &consoleOut{c, out}, &consoleErr{c, err}
}

type consoleOut struct {
	*console
	w io.Writer
}

func (c *consoleOut) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if n > 0 {
		c.midLine.Store(p[n-1] != '\n')
	}
	return n, err
}

type consoleErr struct {
	*console
	w io.Writer
}

func (c *consoleErr) Write(p []byte) (int, error) {
	if c.midLine.Swap(false) {
		if _, err := io.WriteString(c.w, "\n"); err != nil {
			return 0, err
		}
	}
	return c.w.Write(p)
}

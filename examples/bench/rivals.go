package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A rivalLine is what the programs in rivals print per figure. They are
// modules of their own, so that nothing they need gets into this one; the
// format is all that is shared.
type rivalLine struct {
	Rival   string  `json:"rival"`
	Version string  `json:"version"`
	Figure  string  `json:"figure"`
	Unit    string  `json:"unit"`
	Value   float64 `json:"value"`
	Count   int     `json:"count"`
	Comment string  `json:"comment,omitempty"`
}

// rivals lists the folders of the programs, ours first.
var rivals = []string{"ours", "xnet", "nats", "autopaho"}

// runRivals builds each program, runs it in a process of its own, one after the
// other, and reports what they found. It needs the go command, and its first
// run the network. A rival that can't be measured doesn't keep the others
// from it.
func runRivals(ctx context.Context, opts *options, stdout, stderr, lines io.Writer) error {
	here, err := goCommand(ctx, ".", stderr, "list", "-f", "{{.Dir}}", "darvaza.org/x/net/examples/bench")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	rows := [][]string{{"figure", "rival", "version", "value", "unit", "of", "set to"}}
	var all []rivalLine
	var errs []error
	for _, name := range rivals {
		if !opts.run.MatchString(name) {
			continue
		}
		fmt.Fprintf(stderr, "bench: %s\n", name)
		found, err := runRival(ctx, opts, filepath.Join(strings.TrimSpace(here), "rivals", name), dir, stderr)
		if err != nil {
			errs = append(errs, fmt.Errorf("rival %s: %w", name, err))
		}
		all = append(all, found...)
	}
	for _, figure := range figuresOf(all) {
		for _, l := range all {
			if l.Figure != figure {
				continue
			}
			if err := writeLine(lines, l); err != nil {
				return err
			}
			rows = append(rows, []string{
				l.Figure, l.Rival, l.Version, number(&l.Value), l.Unit, fmt.Sprint(l.Count), l.Comment,
			})
		}
	}
	if err := writeAligned(stdout, rows, 3); err != nil {
		return err
	}
	return errors.Join(errs...)
}

// runRival builds and runs the program in a folder and returns what it found.
func runRival(ctx context.Context, opts *options, folder, dir string, stderr io.Writer) ([]rivalLine, error) {
	program := filepath.Join(dir, filepath.Base(folder)+".exe")
	if _, err := goCommand(ctx, folder, stderr, "build", "-o", program, "."); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, program)
	if opts.quick {
		cmd.Args = append(cmd.Args, "quick")
	}
	cmd.Stdout, cmd.Stderr = &out, stderr
	failed := cmd.Run()

	var found []rivalLine
	for dec := json.NewDecoder(&out); dec.More(); {
		var l rivalLine
		if err := dec.Decode(&l); err != nil {
			return found, errors.Join(failed, err)
		}
		found = append(found, l)
	}
	return found, failed
}

// goCommand runs the go command in a folder, which is a module of its own, and
// returns what it prints.
func goCommand(ctx context.Context, folder string, stderr io.Writer, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stdout, cmd.Stderr = &out, stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}
	return out.String(), nil
}

// figuresOf returns the figures in the order in which they were found.
func figuresOf(lines []rivalLine) []string {
	var names []string
	seen := make(map[string]bool)
	for _, l := range lines {
		if !seen[l.Figure] {
			seen[l.Figure] = true
			names = append(names, l.Figure)
		}
	}
	return names
}

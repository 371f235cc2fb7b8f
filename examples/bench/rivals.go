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
	"slices"
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

// runRivals builds each program, runs them in processes of their own, one at a
// time, and reports what they found. It needs the go command, and its first
// run the network. A rival that can't be measured doesn't keep the others
// from it.
func runRivals(ctx context.Context, opts *options, stdout, stderr, lines io.Writer) error {
	here, err := goCommand(ctx, ".", stderr, "list", "-buildvcs=false", "-f", "{{.Dir}}", "darvaza.org/x/net/examples/bench")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	var all []rivalLine
	var errs []error
	programs := make(map[string]string)
	for _, name := range rivals {
		if !opts.run.MatchString(name) {
			continue
		}
		program := filepath.Join(dir, name+".exe")
		folder := filepath.Join(strings.TrimSpace(here), "rivals", name)
		if _, err := goCommand(ctx, folder, stderr, "build", "-buildvcs=false", "-o", program, "."); err != nil {
			errs = append(errs, fmt.Errorf("rival %s: %w", name, err))
			continue
		}
		programs[name] = program
	}
	for turn := range opts.rivalTurns() {
		for _, name := range rivals {
			if programs[name] == "" || ctx.Err() != nil {
				continue
			}
			fmt.Fprintf(stderr, "bench: %s, turn %d\n", name, turn+1)
			found, err := runRival(ctx, opts, programs[name], stderr)
			if err != nil {
				errs = append(errs, fmt.Errorf("rival %s: %w", name, err))
			}
			all = append(all, found...)
		}
	}
	errs = append(errs, ctx.Err(), writeRivals(stdout, lines, all))
	return errors.Join(errs...)
}

// rivalTurns is how often each of them has its turn, one after the other, so
// that what slows the machine down for a while slows down all of them.
func (opts *options) rivalTurns() int {
	if opts.quick {
		return 1
	}
	return 5
}

// writeRivals reports the medians of all turns, figure by figure.
func writeRivals(stdout, lines io.Writer, all []rivalLine) error {
	rows := [][]string{{"figure", "rival", "version", "value", "unit", "of", "set to"}}
	for _, figure := range namesOf(all, func(l rivalLine) string { return l.Figure }) {
		for _, rival := range namesOf(all, func(l rivalLine) string { return l.Rival }) {
			l, ok := middleOf(all, figure, rival)
			if !ok {
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
	return writeAligned(stdout, rows, 3)
}

// middleOf returns the line of a figure of a rival, with the median of its
// turns.
func middleOf(all []rivalLine, figure, rival string) (line rivalLine, ok bool) {
	var values []float64
	for _, l := range all {
		if l.Figure == figure && l.Rival == rival {
			line = l
			values = append(values, l.Value)
		}
	}
	line.Value = median(values)
	return line, len(values) > 0
}

// runRival runs a program and returns what it found.
func runRival(ctx context.Context, opts *options, program string, stderr io.Writer) ([]rivalLine, error) {
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

// namesOf returns the different names there are, in the order of the lines.
func namesOf(lines []rivalLine, name func(rivalLine) string) []string {
	var names []string
	for _, l := range lines {
		if n := name(l); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A profile has the blocks of code by package.
type profile map[string]blocks

// blocks has each block of code once, by file and position: a profile has it
// as often as there are packages whose tests were linked with it.
type blocks map[string]block

type block struct {
	statements int
	run        bool
}

// A count is about statements.
type count struct {
	covered, all int
}

func (c count) percent() float64 {
	if c.all == 0 {
		return 100
	}
	return 100 * float64(c.covered) / float64(c.all)
}

func (b blocks) sum() (c count) {
	for _, block := range b {
		c.all += block.statements
		if block.run {
			c.covered += block.statements
		}
	}
	return c
}

func (p profile) total() (c count) {
	for _, b := range p {
		n := b.sum()
		c.all += n.all
		c.covered += n.covered
	}
	return c
}

func (p profile) packages() []string {
	return slices.Sorted(maps.Keys(p))
}

// readProfile reads a file that go test -coverprofile wrote.
func readProfile(name string) (profile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()

	p := make(profile)
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "mode: ") {
			continue
		}
		if err := p.add(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// add takes a line such as "example.com/a/b.go:3.14,5.2 2 1": the file, begin
// and end of the block, the number of its statements, and how often it ran.
func (p profile) add(line string) error {
	f := strings.Fields(line)
	if len(f) != 3 {
		return fmt.Errorf("%q is no line of a profile", line)
	}
	file, _, ok := strings.Cut(f[0], ":")
	if !ok {
		return fmt.Errorf("%q names no file", f[0])
	}
	statements, err := strconv.Atoi(f[1])
	if err != nil {
		return fmt.Errorf("number of statements: %w", err)
	}
	runs, err := strconv.ParseUint(f[2], 10, 64)
	if err != nil {
		return fmt.Errorf("number of runs: %w", err)
	}

	pkg := path.Dir(file)
	if p[pkg] == nil {
		p[pkg] = make(blocks)
	}
	seen := p[pkg][f[0]]
	p[pkg][f[0]] = block{statements: statements, run: seen.run || runs > 0}
	return nil
}

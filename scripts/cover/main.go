// Command cover sums up coverage profiles and fails when too little is covered.
//
// Usage:
//
//	cover [-min PERCENT] [-gate NAME,NAME] PROFILE...
//
// A profile is what go test -coverprofile writes, and its name without folder
// and extension is that of a module. For each one it prints how many of the
// statements were run, by package and in total. The exit code is 1 when a
// module named by -gate is missing, or has a total below -min.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	least := flag.Float64("min", 95, "`percent` of the statements that have to be covered")
	gate := flag.String("gate", "", "comma-separated `names` of the modules that -min counts for")
	flag.Parse()

	ok, err := report(os.Stdout, flag.Args(), *least, names(*gate))
	if err != nil {
		fmt.Fprintln(os.Stderr, "cover:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// names splits a list, which may be empty.
func names(list string) map[string]bool {
	set := make(map[string]bool)
	for name := range strings.SplitSeq(list, ",") {
		if name != "" {
			set[name] = true
		}
	}
	return set
}

// report prints the table and tells if the gated modules are covered well
// enough.
func report(w io.Writer, profiles []string, least float64, gated map[string]bool) (bool, error) {
	ok := true
	seen := make(map[string]bool)
	for _, file := range profiles {
		p, err := readProfile(file)
		if err != nil {
			return false, err
		}
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		seen[name] = true

		total := p.total()
		note := ""
		if gated[name] {
			note = fmt.Sprintf("  at least %.1f%%", least)
			if total.percent() < least {
				note += ", FAIL"
				ok = false
			}
		}
		_, _ = fmt.Fprintf(w, "%-44s %5d of %5d  %5.1f%%%s\n", name, total.covered, total.all, total.percent(), note)
		for _, pkg := range p.packages() {
			n := p[pkg].sum()
			_, _ = fmt.Fprintf(w, "  %-42s %5d of %5d  %5.1f%%\n", pkg, n.covered, n.all, n.percent())
		}
	}
	for name := range gated {
		if !seen[name] {
			_, _ = fmt.Fprintf(w, "%-44s no profile, FAIL\n", name)
			ok = false
		}
	}
	return ok, nil
}

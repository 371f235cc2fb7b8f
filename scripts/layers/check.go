package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// checkAll gives a line for everything that is wrong in the repository at root.
// The error is for what could not be checked.
func checkAll(root string) ([]string, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	var wrong []string
	for _, r := range rules {
		lines, err := check(filepath.Join(root, r.dir), r)
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, lines...)
	}
	return wrong, nil
}

// check looks at the module in dir.
func check(dir string, r rule) ([]string, error) {
	mod, err := readMod(dir)
	if err != nil {
		return nil, err
	}
	wrong := checkMod(mod, r)

	imports, err := readImports(dir)
	if err != nil {
		return nil, err
	}
	wrong = append(wrong, checkImports(imports, r)...)

	for _, system := range systems {
		deps, err := list(dir, system, false)
		if err != nil {
			return nil, err
		}
		wrong = appendNew(wrong, checkBuild(deps, r))
	}
	if !r.leaf {
		return wrong, nil
	}
	for _, system := range systems {
		deps, err := list(dir, system, true)
		if err != nil {
			return nil, err
		}
		wrong = appendNew(wrong, checkSiblings(deps, r))
	}
	return wrong, nil
}

// checkMod looks at the go.mod.
func checkMod(mod *modFile, r rule) (wrong []string) {
	if mod.Module.Path != r.path() {
		wrong = append(wrong, fmt.Sprintf("%s: go.mod says module %s, not %s", r.dir, mod.Module.Path, r.path()))
	}
	if mod.Go != goVersion {
		wrong = append(wrong, fmt.Sprintf("%s: go.mod says go %s, not %s", r.dir, mod.Go, goVersion))
	}
	if r.empty && len(mod.Require) > 0 {
		wrong = append(wrong, fmt.Sprintf("%s: go.mod requires %s, and may require nothing", r.dir, mod.Require[0].Path))
	}
	return wrong
}

// checkImports looks at what the module's own files import, whichever system,
// processor or tag they are for.
func checkImports(imports []fileImport, r rule) (wrong []string) {
	for _, i := range imports {
		in := func(module string) bool {
			return i.path == module || strings.HasPrefix(i.path, module+"/")
		}
		ours := in(strings.TrimSuffix(prefix, "/"))
		switch {
		case isStandard(i.path) || in(r.path()):
		case !i.test && !slices.ContainsFunc(r.row, in):
			wrong = append(wrong, fmt.Sprintf("%s: %s imports %s, which is not in its row", r.dir, i.file, i.path))
		case i.test && r.leaf && ours && !in(prefix+"testutil"):
			wrong = append(wrong, fmt.Sprintf("%s: %s imports %s, and a leaf has no siblings", r.dir, i.file, i.path))
		}
	}
	return wrong
}

// checkBuild looks at what a build without tests needs.
func checkBuild(deps []dependency, r rule) (wrong []string) {
	for _, d := range deps {
		if d.module != r.path() && !slices.Contains(r.row, d.module) && !slices.Contains(r.needs, d.module) {
			wrong = append(wrong, fmt.Sprintf("%s: a build needs %s, which is not in its layer", r.dir, d.pkg))
		}
	}
	return wrong
}

// checkSiblings looks at what the tests of a leaf need. Helpers for tests are
// no sibling; anything else of the repository is.
func checkSiblings(deps []dependency, r rule) (wrong []string) {
	for _, d := range deps {
		if !strings.HasPrefix(d.module, prefix) {
			continue
		}
		if d.module != r.path() && d.module != prefix+"testutil" {
			wrong = append(wrong, fmt.Sprintf("%s: a test needs %s, and a leaf has no siblings", r.dir, d.pkg))
		}
	}
	return wrong
}

// appendNew appends the lines that aren't there yet: most of what is wrong is
// wrong on every system.
func appendNew(wrong, lines []string) []string {
	for _, line := range lines {
		if !slices.Contains(wrong, line) {
			wrong = append(wrong, line)
		}
	}
	return wrong
}

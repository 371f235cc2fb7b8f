package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// A dependency is a package outside of the standard library, and its module.
type dependency struct {
	pkg, module string
}

// listFormat prints a dependency on a line, and an empty line for what is part
// of the standard library.
const listFormat = `{{if not .Standard}}{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}{{end}}`

// list tells which packages those of the module in dir need, its own included.
func list(dir, system string, tests bool) ([]dependency, error) {
	args := []string{"list", "-buildvcs=false", "-deps", "-f", listFormat}
	if tests {
		args = append(args, "-test")
	}
	out, err := goCommand(dir, system, append(args, "./...")...)
	if err != nil {
		return nil, err
	}

	var deps []dependency
	for line := range strings.Lines(out) {
		// with -test there are names like "a [b.test]"
		if f := strings.Fields(line); len(f) > 1 {
			deps = append(deps, dependency{pkg: f[0], module: f[len(f)-1]})
		}
	}
	return deps, nil
}

// A modFile is what matters here of a go.mod.
type modFile struct {
	Go      string
	Module  struct{ Path string }
	Require []struct{ Path string }
}

// readMod reads the go.mod in dir.
func readMod(dir string) (*modFile, error) {
	out, err := goCommand(dir, "", "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	mod := new(modFile)
	if err := json.Unmarshal([]byte(out), mod); err != nil {
		return nil, fmt.Errorf("layers: go.mod in %s: %w", dir, err)
	}
	return mod, nil
}

// goCommand runs the go command in dir, for a system if one is given.
func goCommand(dir, system string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	// PWD, because the go command believes it when it is a way to the same place
	cmd.Env = append(os.Environ(), "PWD="+dir, "GOWORK=off", "CGO_ENABLED=0")
	if system != "" {
		cmd.Env = append(cmd.Env, "GOOS="+system, "GOARCH=amd64")
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("layers: go %s in %s: %w\n%s", strings.Join(args, " "), dir, err, &stderr)
	}
	return stdout.String(), nil
}

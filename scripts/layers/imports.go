package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A fileImport is one import of one file, named from the module's folder on.
type fileImport struct {
	file, path string
	test       bool
}

// readImports reads the imports of all Go files of the module in dir, also of those
// that a build leaves out here.
func readImports(dir string) ([]fileImport, error) {
	var imports []fileImport
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != dir && isApart(name):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return fmt.Errorf("layers: %w", err)
		}
		file, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports = append(imports, fileImport{filepath.ToSlash(file), path, strings.HasSuffix(file, "_test.go")})
		}
		return nil
	})
	return imports, err
}

// isApart tells if a folder in a module is no part of it.
func isApart(dir string) bool {
	if filepath.Base(dir) == "testdata" {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// isStandard tells if a package is one of the standard library, or of the language.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

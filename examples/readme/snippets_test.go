package readme_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the folder of the repository.
var root = filepath.Join("..", "..")

// snippets gives the Go code in a page, without its indentation: most of it
// stands deeper where it comes from.
func snippets(page string) (found []string) {
	for rest := page; ; {
		_, after, ok := strings.Cut(rest, "\n```go\n")
		if !ok {
			return found
		}
		code, next, _ := strings.Cut(after, "\n```")
		found = append(found, dedent(code))
		rest = next
	}
}

// dedent drops the tabs that lines begin with.
func dedent(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		b.WriteString(strings.TrimLeft(line, "\t"))
	}
	return b.String()
}

// tests gives the code of the tests in a folder, without its indentation.
func tests(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)

	var code strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		code.WriteString(dedent(string(text)))
	}
	return code.String()
}

// pages gives the folders of the repository, from its root on, that have a
// README.md.
func pages(t *testing.T) (dirs []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.Name() == "README.md":
			dir, err := filepath.Rel(root, filepath.Dir(path))
			dirs = append(dirs, filepath.ToSlash(dir))
			return err
		}
		return nil
	}))
	return dirs
}

func TestEverySnippetOfAReadmeIsTakenFromTheTestsNextToIt(t *testing.T) {
	with := make(map[string]int) // how many snippets a folder's page has
	for _, dir := range pages(t) {
		page, err := os.ReadFile(filepath.Join(root, dir, "README.md"))
		require.NoError(t, err)
		code := tests(t, filepath.Join(root, dir))
		if dir == "." { // has no code of its own
			code = tests(t, ".") + tests(t, filepath.Join("..", "besidexnet"))
		}
		for _, snippet := range snippets(string(page)) {
			with[dir]++
			assert.True(t, strings.Contains(code, snippet), "%s/README.md has what no test has:\n%s", dir, snippet)
		}
	}
	for _, dir := range []string{
		".", "dialer", "waiter", "worker", "lifecycle", "testutil", "reconnect", "reconnect/stream",
	} {
		assert.Positive(t, with[dir], "%s/README.md shows no code", dir)
	}
}

func TestSnippetsAreFound(t *testing.T) {
	page := "a\n```go\nb\n\tc\n```\nd\n```sh\ne\n```\n```go\nf\n```\n"
	assert.Equal(t, []string{"b\nc", "f"}, snippets(page))
	assert.Empty(t, snippets("nothing"))
}

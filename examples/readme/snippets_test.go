package readme_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// snippets gives the Go code in a page.
func snippets(page string) (found []string) {
	for rest := page; ; {
		_, after, ok := strings.Cut(rest, "\n```go\n")
		if !ok {
			return found
		}
		code, next, _ := strings.Cut(after, "\n```")
		found = append(found, code)
		rest = next
	}
}

func TestEverySnippetOfTheReadmeIsCompiledHere(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)

	var code strings.Builder
	for _, pattern := range []string{"*_test.go", filepath.Join("..", "besidexnet", "*_test.go")} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			code.Write(text)
		}
	}

	found := snippets(string(page))
	assert.NotEmpty(t, found)
	for _, snippet := range found {
		assert.Contains(t, code.String(), snippet)
	}
}

func TestSnippetsAreFound(t *testing.T) {
	page := "a\n```go\nb\nc\n```\nd\n```sh\ne\n```\n```go\nf\n```\n"
	assert.Equal(t, []string{"b\nc", "f"}, snippets(page))
	assert.Empty(t, snippets("nothing"))
}

package lifecycle_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadmeShowsOnlyCodeOfTheExamples(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	examples, err := os.ReadFile("example_test.go")
	require.NoError(t, err)

	blocks := strings.Split(string(readme), "```go\n")[1:]
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		code, _, closed := strings.Cut(block, "```")
		require.True(t, closed)
		// The examples stand one level deeper.
		var b strings.Builder
		for line := range strings.Lines(code) {
			if line != "\n" {
				b.WriteString("\t")
			}
			b.WriteString(line)
		}
		assert.Contains(t, string(examples), b.String())
	}
}

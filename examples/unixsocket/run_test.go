package main

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"darvaza.org/x/net/examples/internal/demotest"
)

// transcript is what the program prints.
func transcript() string {
	const story = `  service: listens
  client:  hears "welcome, guest 1"
  service: stops, and its socket is gone
  client:  can't connect, and goes on trying
  service: listens again
  client:  hears "welcome, guest 2"
`
	abstract := story
	if runtime.GOOS != "linux" {
		abstract = "  is for Linux alone\n"
	}
	return "a socket in a folder\n" + story + "an abstract socket\n" + abstract
}

func TestTheClientIsBackAsSoonAsTheServiceIs(t *testing.T) {
	demotest.Prints(t, transcript(), run)
}

func TestAnInterruptAtAnyLineIsACleanEnd(t *testing.T) {
	demotest.StopAtEveryLine(t, transcript(), run)
}

func TestAFolderThatIsNotThereIsAnError(t *testing.T) {
	var out bytes.Buffer
	err := visit(t.Context(), &out, filepath.Join(t.TempDir(), "no", "a.sock"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.Empty(t, out.String())
}

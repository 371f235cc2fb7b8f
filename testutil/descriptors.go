package testutil

import (
	"os"
	"path/filepath"
	"strconv"
)

// OpenDescriptors gives the number of descriptors the process has open now. It
// reports false on systems that don't list them: it works on Linux and macOS.
func OpenDescriptors() (n int, ok bool) {
	open, ok := listDescriptors()
	return len(open), ok
}

// listDescriptors gives what each open descriptor refers to, where the system
// tells, and "" otherwise.
func listDescriptors() (open map[int]string, ok bool) {
	if descriptorDir == "" {
		return nil, false
	}
	dir, err := os.Open(descriptorDir)
	if err != nil {
		return nil, false
	}
	defer dir.Close()

	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, false
	}
	open = make(map[int]string, len(names))
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || fd == int(dir.Fd()) {
			continue
		}
		// A descriptor that was closed since has no target any more.
		target, err := os.Readlink(filepath.Join(descriptorDir, name))
		if err != nil && os.IsNotExist(err) {
			continue
		}
		open[fd] = target
	}
	return open, true
}

// warmPoller makes the runtime open the descriptors it needs for its own use
// and keeps, so that they don't look like somebody's leak.
func warmPoller() {
	if r, w, err := os.Pipe(); err == nil {
		_ = r.Close()
		_ = w.Close()
	}
}

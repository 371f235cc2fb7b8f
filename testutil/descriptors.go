package testutil

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

// OpenDescriptors gives the number of descriptors the process has open now. It
// reports false on systems that don't list them, and where there is none left to list
// them with: it works on Linux and macOS.
func OpenDescriptors() (n int, ok bool) {
	open, err := listDescriptors()
	return len(open), err == nil
}

// A descriptor is what an open one refers to.
type descriptor struct {
	target string      // "" where the system doesn't tell
	file   os.FileInfo // of one with a path, which may change; else nil
}

func (d descriptor) isSame(other descriptor) bool {
	if d.file != nil && other.file != nil {
		return os.SameFile(d.file, other.file)
	}
	return d.target == other.target
}

// listDescriptors gives the open descriptors by their number. On systems that don't
// list them the error matches [errors.ErrUnsupported].
func listDescriptors() (open map[int]descriptor, err error) {
	if descriptorDir == "" {
		return nil, errors.ErrUnsupported
	}
	dir, err := os.Open(descriptorDir)
	if err != nil {
		return nil, err
	}
	defer dir.Close()

	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	open = make(map[int]descriptor, len(names))
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || fd == int(dir.Fd()) {
			continue
		}
		// A descriptor that was closed since has no target any more.
		link := filepath.Join(descriptorDir, name)
		target, err := os.Readlink(link)
		if err != nil && os.IsNotExist(err) {
			continue
		}
		d := descriptor{target: target}
		if filepath.IsAbs(target) {
			d.file, _ = os.Stat(link)
		}
		open[fd] = d
	}
	return open, nil
}

// warmPoller makes the runtime open the descriptors it needs for its own use
// and keeps, so that they don't look like somebody's leak.
func warmPoller() {
	if r, w, err := os.Pipe(); err == nil {
		_ = r.Close()
		_ = w.Close()
	}
}

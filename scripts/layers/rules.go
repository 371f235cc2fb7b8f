package main

import "slices"

// prefix is what the paths of the repository's modules begin with.
const prefix = "darvaza.org/x/net/"

// goVersion is what each go.mod has to say: a higher one would lock out users
// of the oldest Go that is still maintained.
const goVersion = "1.25.0"

// A rule is the layer of one module.
type rule struct {
	dir   string   // the folder, and the end of the module's path
	leaf  bool     // imports no sibling, not even in its tests
	empty bool     // go.mod has no require at all
	needs []string // paths of the modules that a build without tests may need
}

func (r rule) path() string {
	return prefix + r.dir
}

// Modules that come together: each list is a module and what it needs itself.
var (
	core    = []string{"darvaza.org/core", "golang.org/x/net", "golang.org/x/text"}
	slog    = []string{"darvaza.org/slog"}
	sync    = []string{"golang.org/x/sync"}
	discard = []string{"darvaza.org/slog/handlers/discard"}
	leaves  = []string{prefix + "dialer", prefix + "waiter", prefix + "worker", prefix + "lifecycle"}
)

// rules has the layers in the order of their dependencies. What an example
// needs is its own business, so there is none for those.
var rules = []rule{
	{dir: "waiter", leaf: true, empty: true},
	{dir: "dialer", leaf: true, needs: core},
	{dir: "worker", leaf: true, needs: slices.Concat(core, sync)},
	{dir: "lifecycle", leaf: true, needs: core},
	{dir: "testutil", needs: slices.Concat(core, slog)},
	{dir: "reconnect", needs: slices.Concat(leaves, core, slog, discard, sync)},
}

// systems are those that a module is built for. A file for one system may need
// what the others don't.
var systems = []string{"linux", "darwin", "windows", "freebsd"}

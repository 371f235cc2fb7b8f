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
	row   []string // paths of the modules that its own code may import
	needs []string // and of those that come with these in a build without tests
}

func (r rule) path() string {
	return prefix + r.dir
}

// What modules are, and need themselves.
var (
	core    = []string{"darvaza.org/core"}
	ofCore  = []string{"golang.org/x/net", "golang.org/x/text"}
	slog    = []string{"darvaza.org/slog"}
	sync    = []string{"golang.org/x/sync"}
	discard = []string{"darvaza.org/slog/handlers/discard"}
	leaves  = []string{prefix + "dialer", prefix + "waiter", prefix + "worker", prefix + "lifecycle"}
)

// rules has the layers in the order of their dependencies. What an example
// needs is its own business, so there is none for those.
var rules = []rule{
	{dir: "waiter", leaf: true, empty: true},
	{dir: "dialer", leaf: true, row: core, needs: ofCore},
	{dir: "worker", leaf: true, row: slices.Concat(core, sync), needs: ofCore},
	{dir: "lifecycle", leaf: true, row: core, needs: ofCore},
	{dir: "testutil", row: slices.Concat(core, slog), needs: ofCore},
	{dir: "reconnect", row: slices.Concat(leaves, core, slog, discard), needs: slices.Concat(ofCore, sync)},
}

// systems are those that a module is built for. A file for one system may need
// what the others don't.
var systems = []string{"linux", "darwin", "windows", "freebsd"}

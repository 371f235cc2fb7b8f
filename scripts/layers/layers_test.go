package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// doctored copies the module of a rule to a repository in a temporary folder,
// next to stubs of other modules that the copy then requires, and adds files
// to it.
func doctored(t *testing.T, dir string, stubs []string, files map[string]string) ([]string, error) {
	t.Helper()
	i := slices.IndexFunc(rules, func(r rule) bool { return r.dir == dir })
	if i < 0 {
		t.Fatalf("there is no rule for %s", dir)
	}
	root := t.TempDir()
	module := filepath.Join(root, dir)
	if err := os.CopyFS(module, os.DirFS(filepath.Join("..", "..", dir))); err != nil {
		t.Fatal(err)
	}
	siblings(t, root, dir)

	for _, stub := range stubs {
		path := prefix + stub
		write(t, filepath.Join(root, "stubs", stub, "go.mod"), "module "+path+"\n\ngo "+goVersion+"\n")
		write(t, filepath.Join(root, "stubs", stub, "stub.go"), "package "+stub+"\n")
		edit(t, module, "-require="+path+"@v0.1.0", "-replace="+path+"=../stubs/"+stub)
	}
	for name, text := range files {
		write(t, filepath.Join(module, name), text)
	}
	return check(module, rules[i])
}

// siblings makes those modules that a copied go.mod replaces by a folder next
// to it be found.
func siblings(t *testing.T, root, dir string) {
	t.Helper()
	for _, r := range rules {
		if r.dir == dir || dir != "reconnect" {
			continue
		}
		src := filepath.Join("..", "..", r.dir)
		if err := os.CopyFS(filepath.Join(root, r.dir), os.DirFS(src)); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, dir string, args ...string) {
	t.Helper()
	if _, err := goCommand(dir, "", append([]string{"mod", "edit"}, args...)...); err != nil {
		t.Fatal(err)
	}
}

func TestAModuleAsItIsPasses(t *testing.T) {
	wrong, err := doctored(t, "dialer", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(wrong) > 0 {
		t.Errorf("complaints about a module that is in order: %q", wrong)
	}
}

func TestTheFolderMayBeReachedByALink(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(root, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	wrong, err := check(filepath.Join(link, "waiter"), rules[0])
	if err != nil || len(wrong) > 0 {
		t.Errorf("got %q, %v", wrong, err)
	}
}

func TestEveryBreachIsFound(t *testing.T) {
	for _, tt := range []struct {
		name, dir string
		stubs     []string
		files     map[string]string
		want      string
	}{
		{
			name: "a leaf imports a sibling", dir: "waiter", stubs: []string{"dialer"},
			files: map[string]string{"bad.go": "package waiter\n\nimport _ \"darvaza.org/x/net/dialer\"\n"},
			want:  "waiter: a build needs darvaza.org/x/net/dialer",
		},
		{
			name: "a leaf imports a sibling on one system", dir: "dialer", stubs: []string{"worker"},
			files: map[string]string{"bad_windows.go": "package dialer\n\nimport _ \"darvaza.org/x/net/worker\"\n"},
			want:  "dialer: a build needs darvaza.org/x/net/worker",
		},
		{
			name: "a package beneath a leaf imports a sibling", dir: "dialer", stubs: []string{"worker"},
			files: map[string]string{"sub/bad.go": "package sub\n\nimport _ \"darvaza.org/x/net/worker\"\n"},
			want:  "dialer: a build needs darvaza.org/x/net/worker",
		},
		{
			name: "the test of a leaf imports a sibling", dir: "dialer", stubs: []string{"worker"},
			files: map[string]string{"bad_test.go": "package dialer_test\n\nimport _ \"darvaza.org/x/net/worker\"\n"},
			want:  "dialer: a test needs darvaza.org/x/net/worker",
		},
		{
			name: "what has to depend on nothing requires something", dir: "waiter", stubs: []string{"dialer"},
			want: "waiter: go.mod requires darvaza.org/x/net/dialer",
		},
		{
			name: "a leaf imports a sibling where nobody looks", dir: "lifecycle",
			files: map[string]string{"bad_arm64.go": "package lifecycle\n\nimport _ \"darvaza.org/x/net/waiter\"\n"},
			want:  "lifecycle: bad_arm64.go imports darvaza.org/x/net/waiter",
		},
		{
			name: "a leaf imports a sibling with cgo", dir: "lifecycle",
			files: map[string]string{"bad.go": "//go:build cgo\n\npackage lifecycle\n\nimport _ \"darvaza.org/x/net/waiter\"\n"},
			want:  "lifecycle: bad.go imports darvaza.org/x/net/waiter",
		},
		{
			name: "the test of a leaf imports a sibling where nobody looks", dir: "lifecycle",
			files: map[string]string{"bad_arm64_test.go": "package lifecycle\n\nimport _ \"darvaza.org/x/net/waiter\"\n"},
			want:  "lifecycle: bad_arm64_test.go imports darvaza.org/x/net/waiter",
		},
		{
			name: "what comes with a module of the row is imported", dir: "dialer",
			files: map[string]string{"bad.go": "package dialer\n\nimport _ \"golang.org/x/net/http/httpguts\"\n"},
			want:  "dialer: bad.go imports golang.org/x/net/http/httpguts",
		},
		{
			name: "a helper for tests gets into a build", dir: "dialer",
			files: map[string]string{"bad.go": "package dialer\n\nimport _ \"github.com/stretchr/testify/assert\"\n"},
			want:  "dialer: a build needs github.com/stretchr/testify/assert",
		},
		{
			name: "the helpers of our own tests need those of others", dir: "testutil",
			files: map[string]string{"bad.go": "package testutil\n\nimport _ \"github.com/stretchr/testify/assert\"\n"},
			want:  "testutil: a build needs github.com/stretchr/testify/assert",
		},
		{
			name: "the helpers of our own tests get into a build", dir: "reconnect", stubs: []string{"testutil"},
			files: map[string]string{"bad.go": "package reconnect\n\nimport _ \"darvaza.org/x/net/testutil\"\n"},
			want:  "reconnect: a build needs darvaza.org/x/net/testutil",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wrong, err := doctored(t, tt.dir, tt.stubs, tt.files)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(wrong, func(line string) bool { return strings.HasPrefix(line, tt.want) }) {
				t.Errorf("complaints %q, none begins with %q", wrong, tt.want)
			}
		})
	}
}

func TestAnotherGoVersionOrPathIsFound(t *testing.T) {
	mod := &modFile{Go: "1.26.0"}
	mod.Module.Path = "example.com/waiter"
	wrong := checkMod(mod, rules[0])
	if len(wrong) != 2 || !strings.Contains(wrong[0], "example.com/waiter") || !strings.Contains(wrong[1], "1.26.0") {
		t.Errorf("complaints: %q", wrong)
	}
}

func TestWhatCanNotBeListedIsAnError(t *testing.T) {
	if _, err := doctored(t, "waiter", nil, map[string]string{
		"bad.go": "package waiter\n\nimport _ \"darvaza.org/x/net/nowhere\"\n",
	}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("an import that doesn't resolve: got error %v", err)
	}
	if _, err := checkAll(t.TempDir()); err == nil {
		t.Error("a folder without modules: got no error")
	}
}

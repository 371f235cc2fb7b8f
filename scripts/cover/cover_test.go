package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func profileOf(t *testing.T, name string, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".out")
	text := "mode: set\n" + strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestABlockCountsOnceHoweverManyTestsRunIt(t *testing.T) {
	p, err := readProfile(profileOf(t, "m",
		"example.com/m/a.go:1.1,2.2 3 0",
		"example.com/m/a.go:1.1,2.2 3 1",
		"example.com/m/a.go:1.1,2.2 3 0",
		"example.com/m/sub/b.go:1.1,2.2 1 0",
	))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.total(), (count{covered: 3, all: 4}); got != want {
		t.Errorf("total %+v, want %+v", got, want)
	}
	if got, want := p["example.com/m"].sum(), (count{covered: 3, all: 3}); got != want {
		t.Errorf("package %+v, want %+v", got, want)
	}
}

func TestOnlyGatedModulesFail(t *testing.T) {
	low := profileOf(t, "low", "example.com/low/a.go:1.1,2.2 9 1", "example.com/low/a.go:3.1,4.2 1 0")
	for _, tt := range []struct {
		gate string
		min  float64
		want bool
		says string
	}{
		{gate: "", min: 95, want: true},
		{gate: "other,low", min: 90, want: false, says: "other"},
		{gate: "low", min: 90, want: true, says: "at least 90.0%"},
		{gate: "low", min: 95, want: false, says: "FAIL"},
	} {
		var out strings.Builder
		ok, err := report(&out, []string{low}, tt.min, names(tt.gate))
		if err != nil {
			t.Fatal(err)
		}
		if ok != tt.want {
			t.Errorf("gate %q at %v: got %v, want %v\n%s", tt.gate, tt.min, ok, tt.want, &out)
		}
		if !strings.Contains(out.String(), "9 of    10   90.0%") || !strings.Contains(out.String(), tt.says) {
			t.Errorf("gate %q at %v: no %q in\n%s", tt.gate, tt.min, tt.says, &out)
		}
	}
}

func TestAModuleWithoutStatementsIsCovered(t *testing.T) {
	if got := (count{}).percent(); got != 100 {
		t.Errorf("got %v", got)
	}
}

func TestABrokenProfileIsAnError(t *testing.T) {
	for _, line := range []string{"a b", "nofile 1 1", "a.go:1.1,2.2 x 1", "a.go:1.1,2.2 1 -1"} {
		if _, err := readProfile(profileOf(t, "m", line)); err == nil || !strings.Contains(err.Error(), ":2: ") {
			t.Errorf("%q: got error %v, want one with the line", line, err)
		}
	}
	if _, err := report(&strings.Builder{}, []string{"/nowhere/at/all"}, 1, nil); err == nil {
		t.Error("a file that isn't there: got no error")
	}
}

package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestLinks(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	l := NewLinks(root)
	link := func(name, to string) {
		t.Helper()
		p := filepath.Join(root, name)
		if err := os.Symlink(to, p); err != nil {
			t.Fatal(err)
		}
		l.Add(p)
	}
	photo := filepath.Join(outside, "a.jpg")
	if err := os.WriteFile(photo, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link("one.jpg", photo)
	link("again.jpg", photo)
	link("inside", root)
	link("nowhere", "no such file")
	if got := l.Paths(); !slices.Equal(got, []string{photo}) {
		t.Errorf("%q", got)
	}
	link("folder", outside)
	if got := l.Paths(); !slices.Equal(got, []string{outside, photo}) {
		t.Errorf("%q", got)
	}

	// A list that no process could be given becomes shorter and never longer.
	many := NewLinks(root)
	for i := range 10_000 {
		many.files[fmt.Sprintf("/photos/%d/%d.jpg", i%3, i)] = true
	}
	if got := many.Paths(); !slices.Equal(got, []string{"/photos/0", "/photos/1", "/photos/2"}) {
		t.Errorf("%d paths, the first %q", len(got), got[0])
	}
	for i := range 10_000 {
		many.files[fmt.Sprintf("/photos/%d/a.jpg", i)] = true
	}
	if got := many.Paths(); !slices.Equal(got, []string{"/"}) {
		t.Errorf("%d paths", len(got))
	}
}

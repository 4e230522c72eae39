package worker

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"photodesc/internal/photo/vips"
)

func TestChanged(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, size int) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path, empty := write("a", 5), write("b", 0)
	at := time.Unix(1_700_000_000, 0)
	for _, p := range []string{path, empty} {
		if err := os.Chtimes(p, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, path string
		img        vips.Image
		want       bool
	}{
		{"the same", path, vips.Image{Size: 5, ModTime: at}, false},
		{"of another size", path, vips.Image{Size: 6, ModTime: at}, true},
		{"of another time", path, vips.Image{Size: 5, ModTime: at.Add(time.Second)}, true},
		{"of a time that is not known", path, vips.Image{Size: 5}, false},
		{"of a size that is not known", empty, vips.Image{Size: 5, ModTime: at}, false},
		{"gone", filepath.Join(dir, "c"), vips.Image{Size: 5, ModTime: at}, true},
	} {
		if got := changed(c.path, &c.img); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

package fsutil

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestReadSmall(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := ReadSmall(path, 5); string(b) != "12345" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	var large *TooLargeError
	if b, err := ReadSmall(path, 4); !errors.As(err, &large) || b != nil {
		t.Errorf("5 bytes of at most 4: %q, %v", b, err)
	}
	if _, err := ReadSmall(filepath.Join(dir, "none"), 4); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	for path, want := range map[string]string{dir: "a folder", pipe: "a named pipe"} {
		for _, flag := range []int{os.O_RDONLY, os.O_WRONLY} {
			f, err := OpenRegular(path, flag, 0)
			var not *NotRegularError
			if f != nil || !errors.As(err, &not) || !strings.Contains(not.Error(), want) {
				t.Errorf("%s: %v, want %q", path, err, want)
			}
		}
	}
}

func TestJoinAndBelow(t *testing.T) {
	for _, test := range []struct{ dir, name, want string }{
		{"/a", "b", "/a/b"}, {"/", "b", "/b"}, {"/a/", "../b", "/a/../b"}, {"a", "./b", "a/./b"},
	} {
		if got := Join(test.dir, test.name); got != test.want || !Below(got, test.dir) {
			t.Errorf("Join(%q, %q) is %q, want %q", test.dir, test.name, got, test.want)
		}
	}
	if Below("/ab", "/a") || Below("/", "/a") || !Below("/a", "/a") {
		t.Error("Below")
	}
}

// TestMkdirTemp takes the cache folder where the usual place cannot be written, and says what is wrong with that place if neither can.
func TestMkdirTemp(t *testing.T) {
	home, usual := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	for _, c := range []struct{ tmp, parent string }{{usual, usual}, {filepath.Join(usual, "none"), home}} {
		t.Setenv("TMPDIR", c.tmp)
		dir, err := MkdirTemp("try-")
		if err != nil || !Below(dir, c.parent) || !strings.HasPrefix(filepath.Base(dir), "try-") {
			t.Errorf("%q, %v; want it below %q", dir, err, c.parent)
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info, err)
		}
	}
	file := filepath.Join(home, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", file)
	t.Setenv("XDG_CACHE_HOME", file)
	if dir, err := MkdirTemp("try-"); !errors.Is(err, os.ErrNotExist) || dir != "" || !strings.Contains(err.Error(), filepath.Join(usual, "none")) {
		t.Errorf("%q, %v", dir, err)
	}
}

func TestQuoteGlob(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{`a*b?[c]\d`, `axbyc\d`, "plain"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{`a*b?[c]\d`, "plain"} {
		path := filepath.Join(dir, name)
		if got, err := filepath.Glob(QuoteGlob(path)); err != nil || !slices.Equal(got, []string{path}) {
			t.Errorf("%q: %q, %v", path, got, err)
		}
	}
}

package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"photodesc/internal/photo/vips"
	"photodesc/pool"
)

func TestProbe(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "photos")
	names := numbered("photo", 20)
	fill := func() {
		if err := os.MkdirAll(root, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if err := os.WriteFile(filepath.Join(root, n), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill()
	r := Probe{Root: root, MountPoints: NewMountPoints(root), Photos: names, AnyDescribed: func() bool { return true }, Readable: vips.Readable, Timeout: time.Minute}
	look := func(want string) {
		t.Helper()
		err := r.Check(names[3])
		var gone *pool.UnavailableError
		got := "this one"
		switch {
		case err == nil:
			got = "readable"
		case errors.As(err, &gone):
			got = "gone"
		}
		if got != want {
			t.Errorf("%s (%v), want %s", got, err, want)
		}
	}
	look("readable")
	os.Remove(filepath.Join(root, names[3]))
	look("this one")
	os.Rename(root, root+" away")
	look("gone")
	os.Mkdir(root, 0o700) // the mount point
	look("gone")
	fill() // the same photos on a disk that was mounted again
	os.Remove(filepath.Join(root, names[3]))
	look("this one")
	os.RemoveAll(root)
	look("gone")
	os.Rename(root+" away", root)
	look("this one")
	r.Timeout = 10 * time.Millisecond
	r.Readable = func(path string) error {
		if filepath.Base(path) == names[3] {
			select {} // hangs alone
		}
		return nil
	}
	look("this one")
	r.Readable = vips.Readable
	for _, n := range names {
		os.Remove(filepath.Join(root, n))
	}
	look("this one") // somebody has cleared the folder
	r.Photos = nil
	look("this one")
}

// numbered are names of photos of one kind.
func numbered(kind string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("%s-%04d.jpg", kind, i+1))
	}
	return names
}

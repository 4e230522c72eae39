package vips

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"photodesc/internal/photo"
	"photodesc/internal/photo/identity"
)

// TestIdentity compares the hashes of decoded photos with those of their files, which the supervisor computes.
func TestIdentity(t *testing.T) {
	names, _ := filepath.Glob("../../../examples/photos/*.*")
	more, _ := filepath.Glob("testdata/*.*")
	for _, limit := range []int64{inMemory, 0} { // whole in memory, or read by libvips
		for _, name := range append(names, more...) {
			func() {
				defer func(before int64) { inMemory = before }(inMemory)
				inMemory = limit
				img, err := Decode(name, Options{Longest: 512})
				if err != nil {
					return // other tests say which and why
				}
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				want, err := identity.Of(bytes.NewReader(data), int64(len(data)), name)
				if img.Format == photo.FormatRAW {
					want.Whole = ""
				}
				if err != nil || img.ID != want || want.Head == "" || want.Picture == "" {
					t.Errorf("%s: %+v, and its file has %+v (%v)", name, img.ID, want, err)
				}
			}()
		}
	}
}

// TestFailureHasFile wants the file's size and time with a failure, so that it is known when the file is another.
func TestFailureHasFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.jpg")
	if err := os.WriteFile(name, []byte("no photo at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Decode(name, Options{})
	bad, ok := err.(*photo.Error)
	if info, _ := os.Stat(name); !ok || bad.Size != info.Size() || !bad.ModTime.Equal(info.ModTime()) {
		t.Errorf("%v: %+v", err, bad)
	}
}

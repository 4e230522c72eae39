package vips

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/photo"
	"photodesc/internal/photo/faultfs"
)

// A file system that says 0 of all sizes changes no pixel, and an empty file is
// still empty.
func TestSizeUnknown(t *testing.T) {
	source := t.TempDir()
	list, _ := filepath.Glob(examples + "/*.*")
	var names []string
	for _, path := range list {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		if err := os.WriteFile(filepath.Join(source, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	raw := rawFile(jpegOf(t, colourful(64, 48)), 6)
	for name, data := range map[string][]byte{"a.dng": raw, "empty.jpg": nil, "large.jpg": append(read(t, "red-star-cmyk.jpg"), make([]byte, 1<<20)...)} {
		if err := os.WriteFile(filepath.Join(source, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	names = append(names, "a.dng")

	at := t.TempDir()
	unmount, err := faultfs.Mount(faultfs.SizesZero, source, at)
	if errors.Is(err, faultfs.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unmount()
	if info, err := os.Stat(at + "/a.dng"); err != nil || info.Size() != 0 {
		t.Fatal("the fault is not there: ", info.Size(), err)
	}
	defer func(before int64) { inMemory = before }(inMemory)
	inMemory = 1000 // what is larger would be read by libvips, which asks for the size
	for _, name := range names {
		opts := Options{Longest: 512}
		want, err := Decode(filepath.Join(source, name), opts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(filepath.Join(at, name), opts)
		if err != nil {
			t.Error(err)
			continue
		}
		if got.Width != want.Width || got.Height != want.Height || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s: other pixels", name)
		}
		if err := Readable(filepath.Join(at, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := Decode(at+"/empty.jpg", Options{}); err == nil || !strings.Contains(err.Error(), "the file is empty") {
		t.Errorf("got %v", err)
	}
	if _, err := Decode(at+"/large.jpg", Options{MaxBytes: 1 << 20}); photo.KindOf(err) != photo.TooLarge {
		t.Errorf("got %v", err)
	}
}

package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"photodesc/internal/photo"
)

// BenchmarkMillion measures looks at a real tree of 1,000,000 files in 2,000 folders, which it makes first.
func BenchmarkMillion(b *testing.B) {
	const folders, each = 2000, 500
	root := b.TempDir()
	old := time.Now().Add(-time.Hour)
	for i := range folders {
		dir := filepath.Join(root, fmt.Sprintf("%02d", i%40), fmt.Sprintf("album-%04d", i))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			b.Fatal(err)
		}
		for j := range each {
			f, err := os.OpenFile(fmt.Sprintf("%s/IMG_%07d.jpg", dir, i*each+j), os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
		_ = os.Chtimes(dir, old, old)
	}
	w := New(Options{Root: root, Rescan: time.Minute, Matters: photo.MayBePhoto})
	files := 0
	walkAll := func() {
		w.Begin()
		files = 0
		if err := photo.Walk(b.Context(), root, photo.WalkOptions{Enter: w.Folders.Enter}, func(string) error { files++; return nil }); err != nil {
			b.Fatal(err)
		}
		w.End(true)
	}
	walkAll()
	if files != folders*each {
		b.Fatalf("%d files", files)
	}
	b.Run("folders", func(b *testing.B) { // a look when nothing has changed
		for b.Loop() {
			if w.Folders.Changed(b.Context()) {
				b.Fatal("changed")
			}
		}
	})
	b.Run("walk", func(b *testing.B) { // of all names, without looking at the files
		for b.Loop() {
			walkAll()
		}
	})
	b.Run("stat", func(b *testing.B) { // of all files, one after the other, in the order of a walk
		for b.Loop() {
			if err := photo.Walk(b.Context(), root, photo.WalkOptions{}, func(rel string) error {
				_, err := os.Stat(root + "/" + strings.TrimPrefix(rel, "/"))
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

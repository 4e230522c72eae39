package browse

import (
	"os"
	"path/filepath"
	"testing"

	"photodesc/internal/browse/browsetest"
)

// BenchmarkLibrary reads the results of 100,000 photos.
func BenchmarkLibrary(b *testing.B) {
	dir := browsetest.Many(b, 100_000, 0).Dir
	for b.Loop() {
		l := newLibrary(dir)
		if err := l.update(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkList lists all of 100,000 photos by date.
func BenchmarkList(b *testing.B) {
	l := newLibrary(browsetest.Many(b, 100_000, 0).Dir)
	if err := l.update(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if got := l.list(view{}, nil); len(got) != 100_000 {
			b.Fatal(len(got))
		}
	}
}

// BenchmarkCatalogue loads the catalogue of 100,000 photos.
func BenchmarkCatalogue(b *testing.B) {
	dir := browsetest.Many(b, 100_000, 0).Dir
	l := newLibrary(dir)
	if err := l.update(); err != nil {
		b.Fatal(err)
	}
	name := filepath.Join(b.TempDir(), "catalogue")
	if err := l.save(name); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		l := newLibrary(dir)
		if err := l.load(name); err != nil {
			b.Fatal(err)
		}
		if err := l.update(); err != nil || len(l.photos) != 100_000 {
			b.Fatal(err)
		}
	}
	info, _ := os.Stat(name)
	b.ReportMetric(float64(info.Size())/1e6, "MB")
}

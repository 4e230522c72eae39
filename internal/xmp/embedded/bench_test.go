package embedded

import (
	"path/filepath"
	"testing"

	"photodesc/internal/xmp"
)

// BenchmarkWritten is what a worker reads of each photo beside its picture.
func BenchmarkWritten(b *testing.B) {
	for _, name := range []string{"album/sunset-over-the-sea.jpg", "green-triangle.tiff", "orange-square.heic"} {
		paths, err := filepath.Glob("../../../examples/photos/" + name)
		if err != nil || len(paths) == 0 {
			b.Fatal(name, err)
		}
		b.Run(filepath.Ext(name), func(b *testing.B) {
			files := xmp.In(filepath.Dir(paths[0]), xmp.Options{})
			for b.Loop() {
				in, err := Read(paths[0])
				if err != nil {
					b.Fatal(err)
				}
				xmp.Written(files.Read(filepath.Base(paths[0])), in)
			}
		})
	}
}

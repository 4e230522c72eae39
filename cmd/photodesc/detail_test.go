package main

import (
	"bytes"
	"testing"
)

// TestDetailSees draws objects too small for one frame: what more tiles cost
// must be worth something. The table goes into docs/performance.md.
func TestDetailSees(t *testing.T) {
	magick := imageMagick(t)
	const pictures = 60
	v := variant{width: 1024, height: 768, ext: "png", args: []string{"-quality", "10"}} // packed quickly
	for i, size := range []struct {
		name     string
		from, to float64 // share of the short side
		// How many must be right, by detail.
		low, auto, high int
	}{
		{"small", 0.14, 0.24, 51, 57, 57},
		{"tiny", 0.06, 0.10, 0, 48, 54},
	} {
		t.Run(size.name, func(t *testing.T) {
			t.Parallel()
			photos := t.TempDir()
			list := draws(uint64(100+i), pictures, v.width, v.height, paintNames)
			for k, d := range list {
				list[k].extent = size.from + (d.extent-0.34)*10*(size.to-size.from)
			}
			want := v.paint(t, magick, photos, list)
			for _, detail := range []struct {
				name  string
				least int
			}{{"low", size.low}, {"auto", size.auto}, {"high", size.high}} {
				work := t.TempDir()
				var out bytes.Buffer
				cmd := program(t, "-C", work, "run", "--model", "builtin", "--detail", detail.name, photos)
				cmd.Stderr = &out
				if err := cmd.Run(); err != nil {
					t.Fatalf("%v\n%s", err, out.String())
				}
				good, tiles, seconds := 0, 0, 0.0
				for path, rec := range records(t, work) {
					if want[path].right(rec.Description) {
						good++
					}
					tiles = rec.Tiles
					seconds += rec.Seconds.Encode + rec.Seconds.Prompt + rec.Seconds.Generate
				}
				t.Logf("--detail %-4s %2d tiles, %3d of %d right, %.0f ms a photo", detail.name, tiles, good, pictures, 1000*seconds/pictures)
				if good < detail.least {
					t.Errorf("--detail %s: %d of %d right, want at least %d", detail.name, good, pictures, detail.least)
				}
			}
		})
	}
}

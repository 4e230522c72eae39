package vips

import (
	"bytes"
	"image/jpeg"
	"path/filepath"
	"testing"
)

// TestPreview makes JPEGs of the wanted size whose colours are those of the picture.
func TestPreview(t *testing.T) {
	for _, c := range []struct {
		width, height, longest int
		wantWidth, wantHeight  int
	}{
		{400, 300, 100, 100, 75},
		{300, 400, 100, 75, 100},
		{40, 30, 100, 40, 30},
		{1000, 2, 100, 100, 1},
		{2, 1000, 100, 1, 100},
		{1, 1, 1, 1, 1},
	} {
		img := &Image{Width: c.width, Height: c.height, Pix: bytes.Repeat([]byte{200, 30, 60}, c.width*c.height)}
		b, err := img.JPEG(c.longest, 80)
		if err != nil {
			t.Fatal(err)
		}
		got, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if s := got.Bounds().Size(); s.X != c.wantWidth || s.Y != c.wantHeight {
			t.Errorf("%d × %d at %d: %v", c.width, c.height, c.longest, s)
		}
		if r, g, b, _ := got.At(0, 0).RGBA(); r>>8 < 190 || g>>8 > 45 || b>>8 > 75 {
			t.Errorf("%d × %d: colour %d %d %d", c.width, c.height, r>>8, g>>8, b>>8)
		}
	}
}

// BenchmarkPreview makes the thumbnail of a photo that was decoded for one tile.
func BenchmarkPreview(b *testing.B) {
	path := filepath.Join(b.TempDir(), "phone.jpg")
	writeCameraJPEG(b, path, 4000, 3000)
	img, err := Decode(path, Options{Longest: 512})
	if err != nil {
		b.Fatal(err)
	}
	start := cpuTime(b)
	for b.Loop() {
		if _, err := img.JPEG(400, 78); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpuTime(b)-start).Seconds()*1e3/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(img.Width), "px")
}

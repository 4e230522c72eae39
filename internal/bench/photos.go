package bench

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Photo draws photo number n as a JPEG of the given size in pixels. It has a soft
// background, hard edges and sensor noise, so that it takes as long to decode as a
// camera's photo. The same n gives the same bytes, another n another photo.
func Photo(n uint64, width, height int) ([]byte, error) {
	r := rand.New(rand.NewPCG(n, 1))
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	across, down := wave(r, width), wave(r, height)
	type disc struct{ x, y, r2, light float64 }
	var discs []disc
	short := float64(min(width, height))
	for range 6 {
		radius := short * (0.05 + 0.2*r.Float64())
		discs = append(discs, disc{r.Float64() * float64(width), r.Float64() * float64(height), radius * radius, 90*r.Float64() - 45})
	}
	for y := range height {
		row := img.Y[img.YOffset(0, y):]
		for x := range width {
			v := 120 + 50*across[x]*down[y] + 5*r.NormFloat64()
			for _, d := range discs {
				if dx, dy := float64(x)-d.x, float64(y)-d.y; dx*dx+dy*dy < d.r2 {
					v += d.light
				}
			}
			row[x] = uint8(min(max(v, 0), 255))
		}
	}
	blue, red := 60*r.Float64()-30, 60*r.Float64()-30
	for y := range (height + 1) / 2 {
		for x := range (width + 1) / 2 {
			at := img.COffset(2*x, 2*y)
			img.Cb[at] = uint8(128 + blue*across[min(2*x, width-1)])
			img.Cr[at] = uint8(128 + red*down[min(2*y, height-1)])
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90})
	return b.Bytes(), err
}

// wave returns the value of two slow waves over n pixels, between -1 and 1.
func wave(r *rand.Rand, n int) []float64 {
	slow, fast, phase := 2+3*r.Float64(), 8+9*r.Float64(), 2*math.Pi*r.Float64()
	w := make([]float64, n)
	for i := range w {
		t := float64(i) / float64(n)
		w[i] = 0.7*math.Sin(slow*t*math.Pi+phase) + 0.3*math.Sin(fast*t*math.Pi)
	}
	return w
}

// WritePhotos draws photos into a folder, beginning with number first, and returns
// their paths.
func WritePhotos(dir string, first, count, width, height int) (paths []string, err error) {
	for i := range count {
		b, err := Photo(uint64(first+i), width, height)
		if err != nil {
			return nil, fmt.Errorf("drawing a photo of %d×%d: %w", width, height, err)
		}
		path := filepath.Join(dir, fmt.Sprintf("photo-%04d.jpg", first+i))
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

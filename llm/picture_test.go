package llm

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"
)

// formula is a picture that Pillow was given too.
func formula(w, h int) []byte {
	pix := make([]byte, 0, w*h*3)
	for y := range h {
		for x := range w {
			pix = append(pix, byte(x*7+y*13), byte(x*x+3*y), byte((x/3^y/5)*17))
		}
	}
	return pix
}

// The sums are of what Pillow 9.4's Image.resize(size, LANCZOS) gives.
func TestResizeAsPillow(t *testing.T) {
	for _, c := range []struct {
		w, h, dw, dh int
		sum          string
	}{
		{100, 80, 64, 64, "9409e8d34cee5ede"},
		{37, 53, 128, 96, "485139bf77667244"},
		{640, 480, 64, 48, "43a52537112581df"},
		{5, 3, 40, 2, "c1542d51c46c9ce0"},
		{64, 64, 64, 64, "e43900e241898c0e"},
		{1, 50, 30, 7, "e5829d809a27fb4e"},
		{300, 200, 300, 64, "2013efb022803b8f"},
		{2000, 7, 33, 64, "55f0476ea120e297"},
	} {
		sum := fmt.Sprintf("%x", sha256.Sum256(resize(formula(c.w, c.h), c.w, c.h, c.dw, c.dh)))
		if sum[:16] != c.sum {
			t.Errorf("%d×%d to %d×%d differs from Pillow's: sum %s, want %s", c.w, c.h, c.dw, c.dh, sum[:16], c.sum)
		}
	}
}

func TestCut(t *testing.T) {
	// Four plain quarters of one tile each, cut without resampling.
	const tile = 64
	colours := [4][3]byte{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 0}}
	p := Picture{Width: 2 * tile, Height: 2 * tile}
	for y := range p.Height {
		for x := range p.Width {
			c := colours[y/tile*2+x/tile]
			p.Pix = append(p.Pix, c[:]...)
		}
	}
	tiles := p.Tiles(PlanTiles(p.Width, p.Height, 2*tile, tile), tile)
	if len(tiles) != 5 {
		t.Fatalf("%d tiles, want 5", len(tiles))
	}
	for i, c := range colours {
		if want := bytes.Repeat(c[:], tile*tile); !bytes.Equal(tiles[i], want) {
			t.Errorf("tile %d is not plain %v: begins %v", i, c, tiles[i][:6])
		}
	}
	// The overview has all four, in place.
	for i, c := range colours {
		x, y := tile/4+i%2*tile/2, tile/4+i/2*tile/2
		if got := tiles[4][(y*tile+x)*3:][:3]; !bytes.Equal(got, c[:]) {
			t.Errorf("overview at %d,%d is %v, want %v", x, y, got, c)
		}
	}
}

// A picture shrunk while loading is planned by its own size.
func TestPlanFollowsOriginal(t *testing.T) {
	p := Picture{Width: 500, Height: 375, OrigWidth: 4000, OrigHeight: 3001}
	if w, h := p.size(); w != 4000 || h != 3001 {
		t.Errorf("size %d×%d", w, h)
	}
}

func TestToPlanes(t *testing.T) {
	levels := [3][256]float32{normalised(0.5, 0.5), normalised(0.5, 0.5), normalised(0.5, 0.25)}
	got := make([]float32, 6)
	toPlanes(got, []byte{0, 255, 128, 255, 0, 0}, &levels)
	want := []float32{-1, 1, 1, -1, (128.0/255 - 0.5) / 0.25, -2}
	for i := range want {
		if d := got[i] - want[i]; d > 1e-6 || d < -1e-6 {
			t.Errorf("value %d: %v, want %v", i, got[i], want[i])
		}
	}
}

func BenchmarkCut(b *testing.B) {
	p := Picture{Width: 2000, Height: 1500, Pix: formula(2000, 1500), OrigWidth: 4000, OrigHeight: 3000}
	for _, d := range []Detail{DetailLow, DetailAuto, DetailHigh} {
		b.Run(string(d), func(b *testing.B) {
			for b.Loop() {
				p.Tiles(PlanTiles(4000, 3000, d.longest(4000, 3000, 512, 2048), 512), 512)
			}
		})
	}
}

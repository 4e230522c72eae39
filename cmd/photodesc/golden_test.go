package main

import (
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"photodesc/internal/photo/vips"
	"photodesc/llm"
	llamacpp "photodesc/third_party/llama.cpp"
)

const goldenDir = "../../internal/models/builtin/testdata/golden"

// goldenEntry is as much of a golden entry as is needed here; the README.md
// beside the files explains it.
type goldenEntry struct {
	Name, Detail, Picture string
	Lossy                 bool
	N                     int
	TilesFile             string `json:"tiles_file"`
	TilesShown            []int  `json:"tiles_shown"`
	Text                  string
	Lead                  float64
}

type goldenFile struct {
	Prompt    string
	Tile      int
	MaxTokens int `json:"max_tokens"`
	Entries   []goldenEntry
}

func readGolden(t *testing.T) (g goldenFile) {
	b, err := os.ReadFile(filepath.Join(goldenDir, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// From the file to the encoder's pixels, decoder and all: within 2/255 of what
// Pillow makes of the same file, 0.25/255 on average. Large pictures are shrunk
// while they are decoded, to save time; along sharp edges that costs up to
// 10/255, and nothing on average.
func TestGoldenPixels(t *testing.T) {
	if err := vips.Startup(vips.StartupOptions{}); err != nil {
		t.Fatal(err)
	}
	g := readGolden(t)
	var whole, shrunk apart
	for _, e := range g.Entries {
		img, err := vips.Decode(filepath.Join(goldenDir, "pictures", filepath.Base(e.Picture)), vips.Options{Longest: llm.WantedEdge(e.N)})
		if err != nil {
			t.Fatal(err)
		}
		p := llm.Picture{Width: img.Width, Height: img.Height, Pix: img.Pix, OrigWidth: img.OrigWidth, OrigHeight: img.OrigHeight}
		tiles := p.Tiles(llm.PlanTiles(img.OrigWidth, img.OrigHeight, e.N, g.Tile), g.Tile)
		want := readRGB(t, filepath.Join(goldenDir, "tiles", filepath.Base(e.TilesFile)))
		size := g.Tile * g.Tile * 3
		for i, at := range e.TilesShown {
			worst, mean := difference(tiles[at], want[i*size:(i+1)*size])
			s, most := &whole, 2
			if img.Width != img.OrigWidth {
				s, most = &shrunk, 10
			}
			s.add(worst, mean)
			if worst > most || mean > 0.25 {
				t.Errorf("%s at %s: tile %d differs by up to %d, %.3f on average", e.Name, e.Detail, at, worst, mean)
			}
		}
	}
	if whole.tiles == 0 || shrunk.tiles == 0 {
		t.Errorf("%d tiles of whole pictures, %d of shrunk ones: want some of both", whole.tiles, shrunk.tiles)
	}
	t.Logf("decoded whole: %v", whole)
	t.Logf("shrunk while decoding: %v", shrunk)
}

// apart is the largest difference seen.
type apart struct {
	tiles, worst int
	mean         float64
}

func (s *apart) add(worst int, mean float64) {
	s.tiles++
	s.worst, s.mean = max(s.worst, worst), max(s.mean, mean)
}

func (s apart) String() string {
	return fmt.Sprintf("%d tiles, at most %d/255, %.4f/255 on average", s.tiles, s.worst, s.mean)
}

func readRGB(t *testing.T, path string) (pix []byte) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			pix = append(pix, byte(r>>8), byte(g>>8), byte(bl>>8))
		}
	}
	return pix
}

func difference(a, b []byte) (worst int, mean float64) {
	sum := 0
	for i := range a {
		d := int(a[i]) - int(b[i])
		d = max(d, -d)
		sum += d
		worst = max(worst, d)
	}
	return worst, float64(sum) / float64(len(a))
}

// The whole program gives the reference's words. Through mtmd, which the system's llama.cpp needs, pictures are shown at
// their finest whatever is asked for, and the picture as a whole is resampled differently: some words are others.
func TestGoldenWords(t *testing.T) {
	g := readGolden(t)
	for _, detail := range []string{"low", "auto", "high"} {
		work := t.TempDir()
		photos, err := filepath.Abs(filepath.Join(goldenDir, "pictures"))
		if err != nil {
			t.Fatal(err)
		}
		cmd := program(t, "-C", work, "run", "--model", "builtin", "--detail", detail, "--prompt", g.Prompt, photos)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got := records(t, work)
		all, differ, complain := 0, 0, t.Errorf
		if llamacpp.System {
			complain = t.Logf
		}
		for _, e := range g.Entries {
			// Where the reference hardly prefers a word to the next, rounding may.
			if e.Detail != detail || e.Lead <= 0.05 {
				continue
			}
			all++
			if d := got[filepath.Base(e.Picture)].Description; d != e.Text {
				differ++
				complain("%s at %s (lead %.2f):\n got %q\nwant %q", e.Name, detail, e.Lead, d, e.Text)
			}
		}
		t.Logf("--detail %s: %d of %d descriptions differ from the reference's", detail, differ, all)
	}
}

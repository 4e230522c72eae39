package llm

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"photodesc/llm/kernels"
)

// TestEqualTexts describes drawn pictures with the built-in model in Q8_0, in
// integers and without them: most texts are the same. What differs is where
// something is just between two words, as small and medium. PHOTODESC_TEST_PICTURES
// says how many pictures: make equal describes 10,000.
func TestEqualTexts(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("PHOTODESC_TEST_PICTURES"))
	if n == 0 {
		n = 100
	}
	out := os.Getenv("PHOTODESC_TEST_TEXTS")
	if out == "" && !kernels.Supported() {
		t.Skip("there are no kernels for this CPU")
	}
	texts := make([]string, n)
	e := open(t, func(o *Options) {
		o.Model, o.Vision = filepath.Join(tiny, "builtin.gguf"), filepath.Join(tiny, "mmproj-builtin.gguf")
		o.Parallel, o.Detail = 8, DetailLow
	})
	var slots sync.WaitGroup
	for slot := range 8 {
		slots.Go(func() {
			for i := slot; i < n; i += 8 {
				a, err := e.Describe(t.Context(), drawn(uint64(i)))
				if err != nil {
					t.Error(err)
					return
				}
				texts[i] = a.Text
			}
		})
	}
	slots.Wait()
	if out != "" { // the process below
		b, _ := json.Marshal(texts)
		if err := os.WriteFile(out, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	file := filepath.Join(t.TempDir(), "texts.json")
	cmd := exec.Command(os.Args[0], "-test.run", "^TestEqualTexts$", "-test.timeout", "2h")
	cmd.Env = append(os.Environ(), "PHOTODESC_KERNELS=exact", "PHOTODESC_TEST_TEXTS="+file)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	var exact []string
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &exact); err != nil {
		t.Fatal(err)
	}
	equal, different := 0, map[string]bool{}
	for i := range texts {
		different[texts[i]] = true
		if texts[i] == exact[i] {
			equal++
		} else if len(exact) <= 1000 {
			t.Logf("picture %d: in integers %q, without %q", i, texts[i], exact[i])
		}
	}
	t.Logf("%d of %d texts are equal (%.2f%%); %d different ones", equal, n, 100*float64(equal)/float64(n), len(different))
	if equal < n*85/100 {
		t.Errorf("%d of %d texts are equal, want 85%%", equal, n)
	}
	if len(different) < n/4 {
		t.Errorf("%d pictures have only %d texts: they say nothing", n, len(different))
	}
}

// drawn is a picture of one to three shapes on a plain background.
func drawn(seed uint64) Picture {
	const w, h = 256, 192
	r := rand.New(rand.NewPCG(seed, 16))
	palette := [][3]byte{{220, 20, 30}, {0, 140, 40}, {30, 60, 220}, {255, 225, 20}, {255, 140, 0}, {128, 0, 128},
		{255, 105, 180}, {139, 69, 19}, {0, 0, 0}, {255, 255, 255}, {128, 128, 128}, {0, 206, 209}}
	r.Shuffle(len(palette), func(i, j int) { palette[i], palette[j] = palette[j], palette[i] })
	p := Picture{Width: w, Height: h, Pix: make([]byte, 0, w*h*3)}
	for range w * h {
		p.Pix = append(p.Pix, palette[0][:]...)
	}
	for i := range 1 + r.IntN(3) {
		size, cx, cy := 10+r.Float64()*70, r.Float64()*w, r.Float64()*h
		inside := []func(x, y float64) bool{
			func(x, y float64) bool { return x*x+y*y < 1 },
			func(x, y float64) bool { return max(math.Abs(x), math.Abs(y)) < 0.85 },
			func(x, y float64) bool { return y < 0.5 && y > 2*math.Abs(x)-1 },
			func(x, y float64) bool { d := math.Hypot(x, y); return d < 1 && d > 0.6 },
			func(x, y float64) bool {
				return max(math.Abs(x), math.Abs(y)) < 1 && min(math.Abs(x), math.Abs(y)) < 0.3
			},
		}[r.IntN(5)]
		for at := range w * h {
			if inside((float64(at%w)-cx)/size, (float64(at/w)-cy)/size) {
				copy(p.Pix[at*3:], palette[i+1][:])
			}
		}
	}
	return p
}

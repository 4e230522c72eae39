//go:build !llama_system

package llm

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"photodesc/llm/kernels"
)

const goldenDir = builtinDir + "/testdata/golden"

// golden is what the reference (Pillow and PyTorch) says of the built-in
// model's pictures; README.md in its folder explains the fields.
type golden struct {
	Files      map[string]string `json:"files"`
	Prompt     string            `json:"prompt"`
	Tile       int               `json:"tile"`
	Longest    int               `json:"longest"`
	TileTokens int               `json:"tile_tokens"`
	Embd       int               `json:"embd"`
	Vocab      int               `json:"vocab"`
	ImageID    int32             `json:"image_id"`
	MaxTokens  int               `json:"max_tokens"`
	Entries    []goldenEntry     `json:"entries"`
}

type goldenEntry struct {
	Name, Detail, Picture string
	Width, Height         int
	Lossy                 bool
	N, Rows, Cols, Tiles  int
	TilesFile             string  `json:"tiles_file"`
	TilesShown            []int   `json:"tiles_shown"`
	PromptIDs             []int32 `json:"prompt_ids"`
	Text                  string
	Tokens                []int32
	Lead                  float64
	Logits                struct{ Offset, Steps int }
	Embeddings            *struct {
		Offset int
		Tiles  []int
	}
}

func (e goldenEntry) id() string { return e.Name + "-" + e.Detail }

// reference reads the golden files and opens the model they belong to.
type reference struct {
	golden
	dir    string // of the model
	floats []float32
	model  *textModel
	vision *visionEncoder
	prompt *promptMaker

	promptSuffix part
}

// eachType runs a test on the built-in model and on the same in Q8_0, which
// package kernels multiplies in integers.
func eachType(t *testing.T, f func(t *testing.T, r *reference)) {
	t.Run("F16", func(t *testing.T) { f(t, openReference(t, builtinDir)) })
	t.Run("Q8_0", func(t *testing.T) { f(t, openReference(t, tiny)) })
}

func openReference(t *testing.T, dir string) *reference {
	t.Helper()
	r := &reference{dir: dir}
	b, err := os.ReadFile(filepath.Join(goldenDir, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &r.golden); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(goldenDir, "floats.f32"))
	if err != nil {
		t.Fatal(err)
	}
	r.floats = make([]float32, len(raw)/4)
	for i := range r.floats {
		r.floats[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	for name, sum := range r.Files {
		b, err := os.ReadFile(filepath.Join(builtinDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(b)); got != sum {
			t.Fatalf("%s is not the model that the golden files were made with", name)
		}
	}
	if r.model, err = loadText(filepath.Join(dir, "builtin.gguf"), false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.model.close)
	if r.vision, err = loadVision(filepath.Join(dir, "mmproj-builtin.gguf"), false, 1); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.vision.close)
	if r.prompt, err = newPromptMaker(r.model, r.vision.tileTokens, 0); err != nil {
		t.Fatal(err)
	}
	if r.promptSuffix, err = r.prompt.promptSuffix(r.Prompt); err != nil {
		t.Fatal(err)
	}
	if r.vision.tile != r.Tile || r.vision.reference != r.Longest || r.vision.tileTokens != r.TileTokens || r.model.embd != r.Embd {
		t.Fatalf("the model has tile %d, longest edge %d, %d tokens a tile, embeddings of %d; golden.json says otherwise",
			r.vision.tile, r.vision.reference, r.vision.tileTokens, r.model.embd)
	}
	return r
}

// picture reads a picture with Go's own decoders: this package knows no files.
func (r *reference) picture(t *testing.T, e goldenEntry) Picture {
	img := readImage(t, filepath.Join(goldenDir, "pictures", filepath.Base(e.Picture)))
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if w != e.Width || h != e.Height {
		t.Fatalf("%s is %d×%d, want %d×%d", e.Picture, w, h, e.Width, e.Height)
	}
	return Picture{Width: w, Height: h, Pix: rgb(img)}
}

func readImage(t *testing.T, path string) image.Image {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return img
}

func rgb(img image.Image) []byte {
	b := img.Bounds()
	out := make([]byte, 0, b.Dx()*b.Dy()*3)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, a := img.At(x, y).RGBA() // premultiplied: what is missing is white
			out = append(out, byte((r+0xffff-a)>>8), byte((g+0xffff-a)>>8), byte((bl+0xffff-a)>>8))
		}
	}
	return out
}

func TestGoldenGridAndTiles(t *testing.T) {
	r := openReference(t, builtinDir)
	if len(r.Entries) < 40 {
		t.Errorf("only %d golden entries", len(r.Entries))
	}
	for _, e := range r.Entries {
		n := Detail(e.Detail).longest(e.Width, e.Height, r.Tile, r.Longest)
		g := PlanTiles(e.Width, e.Height, n, r.Tile)
		if n != e.N || g.Rows != e.Rows || g.Cols != e.Cols || g.Tiles() != e.Tiles {
			t.Errorf("%s: longest %d, %d×%d, %d tiles; want %d, %d×%d, %d", e.id(), n, g.Rows, g.Cols, g.Tiles(), e.N, e.Rows, e.Cols, e.Tiles)
			continue
		}
		tiles := r.picture(t, e).Tiles(g, r.Tile)
		want := rgb(readImage(t, filepath.Join(goldenDir, "tiles", filepath.Base(e.TilesFile))))
		size := r.Tile * r.Tile * 3
		if len(want) != size*len(e.TilesShown) {
			t.Fatalf("%s: %s holds %d bytes", e.id(), e.TilesFile, len(want))
		}
		for i, at := range e.TilesShown {
			worst, mean := pixelDifference(tiles[at], want[i*size:(i+1)*size])
			// Go decodes JPEG otherwise than libjpeg does; the program's own
			// decoder is held against these tiles in cmd/photodesc. Partly clear
			// pixels may be rounded the other way when put over white.
			if !e.Lossy && (worst > 1 || mean > 0.01) {
				t.Errorf("%s: tile %d differs by up to %d, %.3f on average", e.id(), at, worst, mean)
			}
		}
		if ids := promptTokens(t, r.prompt, r.promptSuffix, g); !slices.Equal(withImageID(ids, r.ImageID), e.PromptIDs) {
			t.Errorf("%s: prompt\n%v, want\n%v", e.id(), ids, e.PromptIDs)
		}
	}
}

func withImageID(ids []int32, image int32) []int32 {
	out := slices.Clone(ids)
	for i, id := range out {
		if id == -1 {
			out[i] = image
		}
	}
	return out
}

func pixelDifference(a, b []byte) (worst int, mean float64) {
	sum := 0
	for i := range a {
		d := int(a[i]) - int(b[i])
		d = max(d, -d)
		sum += d
		worst = max(worst, d)
	}
	return worst, float64(sum) / float64(len(a))
}

// How far our numbers may be from the reference's float32 ones. The weights
// are F16 on both sides; what differs is what the arithmetic is done in.
//
// With ggml's own kernels: F16 keeps 11 bits, so that a value rounded to it is
// off by up to 2⁻¹² of itself, 0.024%. The KV cache is F16, GELU and SiLU come
// from F16 tables, and, where no BLAS takes the product, activations are
// rounded before each. Over some fifty roundings in a row such errors add up
// like a random walk to 0.2%; measured with BLAS: 0.04% for embeddings, 0.27%
// for logits.
//
// With package kernels: activations and weights are rounded to bfloat16, the
// precision that SmolVLM is published and run in by the reference, before each
// product. It keeps 8 bits, 2⁻⁹ or 0.2% at most, 0.1% on average; over some
// dozens of products 0.5%. Measured: 0.38% for embeddings, 0.53% for logits.
//
// The bounds are twice that, 1% in the mean square, and 2% of the largest value
// for any single one: small values take over the errors of larger neighbours.
//
// In Q8_0 the weights themselves are off: in floats or with ggml's own kernels
// by 0.7% for embeddings and up to 2.4% for logits. In integers, where
// activations are rounded to 8 bits too, it is 1.4% and 2.2%.
const (
	rmsBound, maxBound     = 0.01, 0.02
	rmsBoundQ8, maxBoundQ8 = 0.03, 0.04
)

func (r *reference) bounds() (rms, largest float64) {
	if r.dir == builtinDir {
		return rmsBound, maxBound
	}
	return rmsBoundQ8, maxBoundQ8
}

// offBy compares vectors: the error's root mean square and its largest value,
// each as a share of the reference's own.
func offBy(got, want []float32) (rms, worst float64) {
	var se, sw, me, mw float64
	for i := range want {
		d := float64(got[i]) - float64(want[i])
		se += d * d
		sw += float64(want[i]) * float64(want[i])
		me = max(me, math.Abs(d))
		mw = max(mw, math.Abs(float64(want[i])))
	}
	return math.Sqrt(se / sw), me / mw
}

// The encoder's numbers are also right without package kernels: with ggml's own products and with the BLAS.
func TestGoldenWithoutKernels(t *testing.T) {
	if !kernels.Supported() {
		t.Skip("what the other tests run is without them")
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestGoldenEmbeddings$/^F16$", "-test.v")
	cmd.Env = append(os.Environ(), "PHOTODESC_KERNELS=0", "OPENBLAS_NUM_THREADS=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestGoldenEmbeddings") {
		t.Errorf("%v\n%s", err, out)
	}
}

// What is golden holds in every set of kernels that this CPU can run, and
// without integers.
func TestGoldenInEverySet(t *testing.T) {
	sets := kernels.Sets()
	if len(sets) == 0 || os.Getenv("PHOTODESC_KERNELS") != "" {
		t.Skip("no other kernels to run")
	}
	for _, set := range append(sets[1:], "exact") {
		t.Run(set, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run", "^TestGolden(Embeddings|Text)$", "-test.v")
			cmd.Env = append(os.Environ(), "PHOTODESC_KERNELS="+set, "OPENBLAS_NUM_THREADS=1")
			out, err := cmd.CombinedOutput()
			if err != nil || strings.Count(string(out), "    --- PASS: TestGolden") != 4 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestGoldenEmbeddings(t *testing.T) { eachType(t, goldenEmbeddings) }

func goldenEmbeddings(t *testing.T, r *reference) {
	n := 0
	var topRMS, topMax float64
	rmsBound, maxBound := r.bounds()
	for _, e := range r.Entries {
		if e.Embeddings == nil || e.Lossy {
			continue
		}
		g := PlanTiles(e.Width, e.Height, e.N, r.Tile)
		tiles := r.picture(t, e).Tiles(g, r.Tile)
		size := r.TileTokens * r.Embd
		for i, at := range e.Embeddings.Tiles {
			got := make([]float32, size)
			if err := r.vision.encode(tiles[at], got); err != nil {
				t.Fatal(err)
			}
			rms, worst := offBy(got, r.floats[e.Embeddings.Offset+i*size:][:size])
			topRMS, topMax = max(topRMS, rms), max(topMax, worst)
			n++
			if rms > rmsBound || worst > maxBound {
				t.Errorf("%s: tile %d's embeddings are off by %.4f (rms), %.4f (largest)", e.id(), at, rms, worst)
			}
		}
	}
	if n == 0 {
		t.Fatal("no golden embeddings")
	}
	t.Logf("%d tiles; off by at most %.5f (rms), %.5f (largest)", n, topRMS, topMax)
}

func TestGoldenLogits(t *testing.T) { eachType(t, goldenLogits) }

func goldenLogits(t *testing.T, r *reference) {
	ctx, err := newContext(r.model, 2, 1024, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer ctx.close()
	ctx.never = nil // the reference computes all
	var topRMS, topMax float64
	rmsBound, maxBound := r.bounds()
	for _, e := range r.Entries {
		if e.Lossy || e.Logits.Steps == 0 {
			continue
		}
		for step, got := range r.logits(t, ctx, e) {
			want := r.floats[e.Logits.Offset+step*r.Vocab:][:r.Vocab]
			rms, worst := offBy(got, want)
			topRMS, topMax = max(topRMS, rms), max(topMax, worst)
			if rms > rmsBound || worst > maxBound {
				t.Errorf("%s: logits of step %d are off by %.4f (rms), %.4f (largest)", e.id(), step, rms, worst)
			}
		}
	}
	t.Logf("off by at most %.5f (rms), %.5f (largest)", topRMS, topMax)
}

// logits runs the prompt and the reference's first tokens, as the engine does,
// and returns the logits after each.
func (r *reference) logits(t *testing.T, ctx *textContext, e goldenEntry) (out [][]float32) {
	front := &tiledFrontend{vision: r.vision, prompt: r.prompt}
	p, err := front.plan(r.picture(t, e), Detail(e.Detail))
	if err != nil {
		t.Fatal(err)
	}
	p.cut()
	if err := p.encode(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := &entries{}
	p.addRows(b, 0, 0, r.promptSuffix, nil)
	length := b.len()
	if _, err := ctx.step(b); err != nil {
		t.Fatal(err)
	}
	out = append(out, ctx.logits(length-1, r.Vocab))
	for i := 0; len(out) < e.Logits.Steps && i < len(e.Tokens); i++ {
		b := &entries{work: kernels.NextTokens, tokens: []int32{e.Tokens[i], e.Tokens[i]}}
		b.add(length+i, 0, true, nil)
		b.add(0, 1, false, nil) // the engine's companion of a lone token
		if _, err := ctx.step(b); err != nil {
			t.Fatal(err)
		}
		ctx.forget(1)
		out = append(out, ctx.logits(0, r.Vocab))
	}
	ctx.forget(0)
	return out
}

func TestGoldenText(t *testing.T) { eachType(t, goldenText) }

func goldenText(t *testing.T, r *reference) {
	byDetail := map[string]*Engine{}
	for _, d := range []Detail{DetailLow, DetailAuto, DetailHigh} {
		byDetail[string(d)] = open(t, func(o *Options) {
			o.Model, o.Vision = filepath.Join(r.dir, "builtin.gguf"), filepath.Join(r.dir, "mmproj-builtin.gguf")
			o.Prompts, o.Detail, o.MaxTokens = []Prompt{{Text: r.Prompt}}, d, r.MaxTokens
		})
	}
	for _, e := range r.Entries {
		a, err := byDetail[e.Detail].Describe(t.Context(), r.picture(t, e))
		if err != nil {
			t.Fatalf("%s: %v", e.id(), err)
		}
		// Where the reference itself hesitates between two words, and for a
		// JPEG of another decoder, rounding may choose the other.
		if a.Text != e.Text && e.Lead > 0.05 && !e.Lossy {
			t.Errorf("%s (lead %.3f):\n got %q\nwant %q", e.id(), e.Lead, a.Text, e.Text)
		}
		if a.PromptTokens != len(e.PromptIDs) {
			t.Errorf("%s: %d prompt tokens, want %d", e.id(), a.PromptTokens, len(e.PromptIDs))
		}
	}
}

//go:build !llama_system

package llm

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/x448/float16"

	"photodesc/internal/models/gguf"
	"photodesc/llm/kernels"
)

// A plain text model, written down as the papers have it, to hold llama.cpp's
// answers against: what we tell it of positions, of what sees what, and of
// scales must be what the models are made for.
type plain struct {
	t                     testing.TB
	file                  *gguf.File
	data                  []byte
	layers, heads, shared int // shared: query heads for each KV head
	head                  int
	eps                   float64
	base                  func(layer int) float64
	sections              []int // pairs of a head that turn by time, height and width
	interleaved           bool  // those pairs take turns, as Qwen3-VL's do
	gelu                  bool
	scale                 float64                        // of the embeddings of words
	window                func(layer int) int            // tokens seen; 0: all
	both                  func(query, key plainRow) bool // sees each other against the order
}

// plainRow is one row of a prompt.
type plainRow struct {
	embd    []float64
	place   [3]int // time, height, width
	picture bool
	deep    [][]float64 // added behind the first layers
}

func (p *plain) tensor(name string) (values []float64, row int) {
	p.t.Helper()
	for _, x := range p.file.Tensors {
		if x.Name != name {
			continue
		}
		n := 1
		for _, d := range x.Shape {
			n *= int(d)
		}
		values = make([]float64, n)
		for i := range values {
			if x.Type == gguf.F16 {
				values[i] = float64(float16.Frombits(binary.LittleEndian.Uint16(p.data[int(x.Offset)+2*i:])).Float32())
			} else {
				values[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(p.data[int(x.Offset)+4*i:])))
			}
		}
		return values, int(x.Shape[0])
	}
	return nil, 0
}

// times multiplies a vector by a matrix and adds its bias, if there is one.
func (p *plain) times(name string, x []float64) []float64 {
	m, row := p.tensor(name + ".weight")
	bias, _ := p.tensor(name + ".bias")
	out := make([]float64, len(m)/row)
	for i := range out {
		for j, v := range x {
			out[i] += m[i*row+j] * v
		}
		if bias != nil {
			out[i] += bias[i]
		}
	}
	return out
}

// norm is RMSNorm; without a weight of the name it does nothing.
func (p *plain) norm(name string, x []float64) []float64 {
	w, _ := p.tensor(name + ".weight")
	if w == nil {
		return x
	}
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	scale := 1 / math.Sqrt(sum/float64(len(x))+p.eps)
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * scale * w[i]
	}
	return out
}

// turn is RoPE: pairs half a head apart, each by the place that it is for.
func (p *plain) turn(x []float64, place [3]int, base float64) {
	half := len(x) / 2
	for i := range half {
		at, from := place[0], 0
		for d, n := range p.sections {
			if p.interleaved && i%3 == d && i < 3*n || !p.interleaved && i >= from && i < from+n {
				at = place[d]
			}
			from += n
		}
		sin, cos := math.Sincos(float64(at) * math.Pow(base, -float64(i)/float64(half)))
		x[i], x[i+half] = x[i]*cos-x[i+half]*sin, x[i]*sin+x[i+half]*cos
	}
}

// logits are those after the last row.
func (p *plain) logits(rows []plainRow) []float64 {
	x := make([][]float64, len(rows))
	for i, r := range rows {
		x[i] = append([]float64{}, r.embd...)
	}
	heads := func(name string, layer int, prefix string, in []float64, place [3]int) [][]float64 {
		all := p.times(prefix+name, in)
		var out [][]float64
		for at := 0; at < len(all); at += p.head {
			h := all[at : at+p.head]
			if name != "attn_v" {
				h = p.norm(prefix+name+"_norm", h)
				p.turn(h, place, p.base(layer))
			}
			out = append(out, h)
		}
		return out
	}
	for l := range p.layers {
		prefix := "blk." + string(rune('0'+l)) + "."
		var q, k, v [][][]float64
		for i, r := range rows {
			n := p.norm(prefix+"attn_norm", x[i])
			q = append(q, heads("attn_q", l, prefix, n, r.place))
			k = append(k, heads("attn_k", l, prefix, n, r.place))
			v = append(v, heads("attn_v", l, prefix, n, r.place))
		}
		for i := range rows {
			var all []float64
			for h := range p.heads {
				weights := make([]float64, len(rows))
				sum := 0.0
				for j := range rows {
					seen := j <= i || p.both(rows[i], rows[j])
					if w := p.window(l); !seen || w > 0 && rows[i].place[0]-rows[j].place[0] >= w {
						continue
					}
					dot := 0.0
					for d := range p.head {
						dot += q[i][h][d] * k[j][h/p.shared][d]
					}
					weights[j] = math.Exp(dot / math.Sqrt(float64(p.head)))
					sum += weights[j]
				}
				out := make([]float64, p.head)
				for j, w := range weights {
					for d := range out {
						out[d] += w / sum * v[j][h/p.shared][d]
					}
				}
				all = append(all, out...)
			}
			add(x[i], p.norm(prefix+"post_attention_norm", p.times(prefix+"attn_output", all)))
		}
		for i := range rows {
			n := p.norm(prefix+"ffn_norm", x[i])
			gate, up := p.times(prefix+"ffn_gate", n), p.times(prefix+"ffn_up", n)
			for j, g := range gate {
				if p.gelu {
					up[j] *= 0.5 * g * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(g+0.044715*g*g*g)))
				} else {
					up[j] *= g / (1 + math.Exp(-g))
				}
			}
			add(x[i], p.norm(prefix+"post_ffw_norm", p.times(prefix+"ffn_down", up)))
			if l < len(rows[i].deep) {
				add(x[i], rows[i].deep[l])
			}
		}
	}
	return p.times("output", p.norm("output_norm", x[len(x)-1]))
}

func add(x, y []float64) {
	for i := range x {
		x[i] += y[i]
	}
}

// What llama.cpp makes of our prompts is what a plain model makes of the words,
// the picture's embeddings and their places.
func TestOthersAgainstPlainModel(t *testing.T) {
	none := func(plainRow, plainRow) bool { return false }
	always := func(base float64) func(int) float64 { return func(int) float64 { return base } }
	everything := func(int) int { return 0 }
	models := map[string]plain{
		"tiny-qwen2.5vl": {layers: 2, base: always(10000), scale: 1, sections: []int{4, 6, 6}, both: none, window: everything},
		"tiny-qwen3vl":   {layers: 3, base: always(10000), scale: 1, sections: []int{6, 5, 5}, interleaved: true, both: none, window: everything},
		"tiny-internvl":  {layers: 2, base: always(10000), scale: 1, both: none, window: everything},
		"tiny-gemma3": {
			layers: 6, scale: 8, gelu: true,
			both: func(q, k plainRow) bool { return q.picture && k.picture },
			base: func(layer int) float64 {
				if layer == 5 {
					return 1e6
				}
				return 10000
			},
			window: func(layer int) int {
				if layer == 5 {
					return 0
				}
				return 96
			},
		},
	}
	eachOther(t, func(t *testing.T, name string) {
		p, known := models[name]
		if !known {
			t.Fatal("no plain model to compare it with")
		}
		p.t, p.heads, p.shared, p.head, p.eps = t, 2, 2, 32, 1e-6
		path := filepath.Join(tiny, name+".gguf")
		var err error
		if p.file, err = gguf.Open(path); err != nil {
			t.Fatal(err)
		}
		if p.data, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		e := openOther(t, name, func(o *Options) { o.Detail = "280"; o.MaxTokens = 1; o.Exact = true })
		front := throughMTMD(e)
		e.ctx.never = nil // the plain model computes all
		for _, steps := range []int{e.ctx.batch, 7} {
			if steps == 7 && front.nonCausal {
				continue // such a picture cannot be decoded in several steps
			}
			e.ctx.batch = steps
			picture := scene(4, 280, 168)
			s := &slot{job: e.newJob(e.opt.MaxTokens)}
			prompt := picturePromptOf(t, e, picture)
			s.job.ctx, s.job.prompt, s.job.answer.Tiles = t.Context(), prompt, prompt.cut()
			if err := e.encode(s); err != nil {
				t.Fatal(err)
			}
			// What the encoder gives for one picture is too much alike to tell
			// whether its places are right.
			embedding, random := prompt.embedding, rand.New(rand.NewPCG(1, 2))
			for i := range embedding.embd {
				embedding.embd[i] = float32(random.NormFloat64() * 0.5)
			}
			wide, high := 10, 6
			if p.interleaved {
				wide, high = 9, 5 // 32 pixels for each, not 28
			}
			if front.mrope && (embedding.nx != wide || embedding.ny != high) {
				t.Fatalf("%d by %d embeddings, want %d by %d", embedding.nx, embedding.ny, wide, high)
			}
			e.prefill([]*slot{s})
			if s.job.err != nil {
				t.Fatal(s.job.err)
			}

			var rows []plainRow
			word := func(id int32, pos int) {
				row := make([]float32, e.model.embd)
				if err := e.model.embedding(id, row); err != nil {
					t.Fatal(err)
				}
				rows = append(rows, plainRow{embd: scaled(row, p.scale), place: [3]int{pos, pos, pos}})
			}
			pos := 0
			for _, id := range front.before {
				word(id, pos)
				pos++
			}
			for i := range embedding.n {
				values := embedding.embd[i*e.model.inputs() : (i+1)*e.model.inputs()]
				r := plainRow{embd: scaled(values[:e.model.embd], 1), place: [3]int{pos + i, pos + i, pos + i}, picture: true}
				for at := e.model.embd; at < len(values); at += e.model.embd {
					r.deep = append(r.deep, scaled(values[at:at+e.model.embd], 1))
				}
				if p.sections != nil {
					r.place = [3]int{pos, pos + i/wide, pos + i%wide}
				}
				rows = append(rows, r)
			}
			if pos += embedding.n; p.sections != nil {
				pos += wide - embedding.n // as long as the picture is wide
			}
			for _, id := range append(front.behind, e.promptSuffixes[0].tokens...) {
				word(id, pos)
				pos++
			}
			if s.pos != pos {
				t.Errorf("the prompt ends at position %d, want %d", s.pos, pos)
			}
			want := p.logits(rows)
			got := e.ctx.logits(-1, len(want)) // after the last row
			difference, size := 0.0, 0.0
			for i, w := range want {
				difference += (float64(got[i]) - w) * (float64(got[i]) - w)
				size += w * w
			}
			// A wrong place makes nearly all of it different. Without kernels
			// halves are rounded, with them bfloat16, which these models magnify.
			most := 0.05
			if kernels.Supported() {
				most = 0.4
			}
			if d := math.Sqrt(difference / size); d > most {
				t.Errorf("in steps of %d: the logits differ by %.2f%%", steps, 100*d)
			}
			if best := slices.Max(got); got[s.out[0]] != best {
				t.Errorf("in steps of %d: token %d was picked, which is not the likeliest", steps, s.out[0])
			}
			e.ctx.forget(0)
		}
	})
}

// More exactly without package kernels.
func TestOthersAgainstPlainModelExactly(t *testing.T) {
	if !kernels.Supported() {
		t.Skip("what the other tests run is without them")
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestOthersAgainstPlainModel$", "-test.v")
	cmd.Env = append(os.Environ(), "PHOTODESC_KERNELS=0", "OPENBLAS_NUM_THREADS=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestOthersAgainstPlainModel") {
		t.Errorf("%v\n%s", err, out)
	}
}

func scaled(row []float32, by float64) []float64 {
	out := make([]float64, len(row))
	for i, v := range row {
		out[i] = float64(v) * by
	}
	return out
}

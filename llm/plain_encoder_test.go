//go:build !llama_system

package llm

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/models/gguf"
	"photodesc/llm/kernels"
)

// Qwen3-VL's encoder as its reference has it (transformers, models/qwen3_vl), for
// tiny-qwen3vl: two layers of two heads, patches of 16 pixels, 8 by 8 positions.
// What llama.cpp gives for a picture must be that, values and order.
func TestQwen3EncoderAgainstPlainModel(t *testing.T) {
	const name, width, height = "tiny-qwen3vl", 160, 96
	path := filepath.Join(tiny, "mmproj-"+name+".gguf")
	p := plain{t: t}
	var err error
	if p.file, err = gguf.Open(path); err != nil {
		t.Fatal(err)
	}
	if p.data, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	e := openOther(t, name, func(o *Options) { o.Exact = true })
	front, picture := throughMTMD(e), scene(4, width, height)
	got, err := front.encode(picture.Pix, frame{width, height, width / 32 * height / 32})
	if err != nil {
		t.Fatal(err)
	}
	want := p.qwen3Encoder(picture)
	if len(want) != got.n || got.nx != width/32 || got.ny != height/32 {
		t.Fatalf("%d embeddings in %d columns and %d rows, want %d", got.n, got.nx, got.ny, len(want))
	}
	most := 0.01
	if kernels.Supported() {
		most = 0.03 // bfloat16
	}
	per := len(got.embd) / got.n
	for part := range per / e.model.embd { // the picture's own values, then those for each layer
		difference, size := 0.0, 0.0
		for i, row := range want {
			for j, w := range row[part*e.model.embd : (part+1)*e.model.embd] {
				d := float64(got.embd[i*per+part*e.model.embd+j]) - w
				difference, size = difference+d*d, size+w*w
			}
		}
		if d := math.Sqrt(difference / size); d > most || math.IsNaN(d) {
			t.Errorf("part %d of the embeddings differs by %.2f%%", part, 100*d)
		}
	}
}

// qwen3Encoder gives a row for each 2 by 2 patches: the merged values, and behind
// them the features of each layer.
func (p *plain) qwen3Encoder(pic Picture) [][]float64 {
	const patch, side, heads, head = 16, 8, 2, 32
	across, down := pic.Width/patch, pic.Height/patch
	var x [][]float64
	var place [][2]int
	for y := 0; y < down; y += 2 {
		for c := 0; c < across; c += 2 {
			for _, d := range [][2]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
				at := [2]int{y + d[0], c + d[1]}
				place = append(place, at)
				row := p.patchAt(pic, at[0], at[1], patch)
				add(row, p.positionAt(float64(at[0])*(side-1)/float64(down-1), float64(at[1])*(side-1)/float64(across-1), side))
				x = append(x, row)
			}
		}
	}
	merged := func(rows [][]float64, name1, name2 string, before func([]float64) []float64) (out [][]float64) {
		for i := 0; i < len(rows); i += 4 {
			var all []float64
			for _, r := range rows[i : i+4] {
				all = append(all, r...)
			}
			between := p.times(name1, before(all))
			for j, v := range between {
				between[j] = v / 2 * (1 + math.Erf(v/math.Sqrt2))
			}
			out = append(out, p.times(name2, between))
		}
		return out
	}
	var deep [][][]float64
	for l := range 2 {
		prefix := "v.blk." + string(rune('0'+l)) + "."
		var q, k, v [][][]float64 // of each patch and head
		for i := range x {
			all := p.times(prefix+"attn_qkv", p.layerNorm(prefix+"ln1", x[i]))
			var parts [3][][]float64
			for part := range parts {
				for h := range heads {
					row := all[part*heads*head+h*head:][:head]
					if part < 2 {
						turnPlane(row, place[i])
					}
					parts[part] = append(parts[part], row)
				}
			}
			q, k, v = append(q, parts[0]), append(k, parts[1]), append(v, parts[2])
		}
		for i := range x {
			var all []float64
			for h := range heads {
				out, sum := make([]float64, head), 0.0
				for j := range x {
					dot := 0.0
					for d := range head {
						dot += q[i][h][d] * k[j][h][d]
					}
					w := math.Exp(dot / math.Sqrt(head))
					sum += w
					for d := range out {
						out[d] += w * v[j][h][d]
					}
				}
				for d := range out {
					out[d] /= sum
				}
				all = append(all, out...)
			}
			add(x[i], p.times(prefix+"attn_out", all))
		}
		for i := range x {
			up := p.times(prefix+"ffn_up", p.layerNorm(prefix+"ln2", x[i]))
			for j, g := range up {
				up[j] = 0.5 * g * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(g+0.044715*g*g*g)))
			}
			add(x[i], p.times(prefix+"ffn_down", up))
		}
		prefix = strings.Replace(prefix, "blk", "deepstack", 1)
		deep = append(deep, merged(x, prefix+"fc1", prefix+"fc2", func(all []float64) []float64 { return p.layerNorm(prefix+"norm", all) }))
	}
	for i := range x {
		x[i] = p.layerNorm("v.post_ln", x[i])
	}
	out := merged(x, "mm.0", "mm.2", func(all []float64) []float64 { return all })
	for i := range out {
		for _, d := range deep {
			out[i] = append(out[i], d[i]...)
		}
	}
	return out
}

// patchAt is the patch's convolution: a picture counts as two equal frames.
func (p *plain) patchAt(pic Picture, y, x, patch int) []float64 {
	first, _ := p.tensor("v.patch_embd.weight")
	second, _ := p.tensor("v.patch_embd.weight.1")
	out, _ := p.tensor("v.patch_embd.bias")
	for h := range out {
		for c := range 3 {
			for dy := range patch {
				for dx := range patch {
					at := ((h*3+c)*patch+dy)*patch + dx
					value := float64(pic.Pix[3*((y*patch+dy)*pic.Width+x*patch+dx)+c])/127.5 - 1
					out[h] += (first[at] + second[at]) * value
				}
			}
		}
	}
	return out
}

// positionAt is the learnt position between the four next ones.
func (p *plain) positionAt(y, x float64, side int) []float64 {
	all, width := p.tensor("v.position_embd.weight")
	out := make([]float64, width)
	for _, a := range []int{0, 1} {
		for _, b := range []int{0, 1} {
			row, column := min(int(y)+a, side-1), min(int(x)+b, side-1)
			w := math.Abs(1-float64(a)-(y-math.Floor(y))) * math.Abs(1-float64(b)-(x-math.Floor(x)))
			for d := range out {
				out[d] += w * all[(row*side+column)*width+d]
			}
		}
	}
	return out
}

// layerNorm has a mean, unlike norm.
func (p *plain) layerNorm(name string, x []float64) []float64 {
	w, _ := p.tensor(name + ".weight")
	b, _ := p.tensor(name + ".bias")
	mean, square := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		square += (v - mean) * (v - mean) / float64(len(x))
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = (v-mean)/math.Sqrt(square+1e-6)*w[i] + b[i]
	}
	return out
}

// turnPlane is RoPE in a plane: of half a head, the first half turns by the row,
// the second by the column.
func turnPlane(x []float64, place [2]int) {
	half := len(x) / 2
	for i := range half {
		at := place[2*i/half]
		sin, cos := math.Sincos(float64(at) * math.Pow(10000, -float64(i%(half/2))/float64(half/2)))
		x[i], x[i+half] = x[i]*cos-x[i+half]*sin, x[i]*sin+x[i+half]*cos
	}
}

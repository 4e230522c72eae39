//go:build !llama_system

package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var hidden = float32(math.Inf(-1)) // a mask's value for a hidden cell

// halves returns random numbers that are exact in half precision, so that a
// result differs from the reference by the kernel's rounding only.
func halves(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 9))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(math.Round(min(max(r.NormFloat64(), -3), 3)*64)) / 64
	}
	return out
}

// next returns an attention with one query for each stream. Stream number s sees
// seen+s cells, after the first from cells.
func next(seed uint64, d, dv, heads, kvHeads, streams, keys, from, seen int) attention {
	a := attention{
		next: true, kind: f16, dk: d, dv: dv, queries: 1, keys: keys, heads: heads, kvHeads: kvHeads, streams: streams, threads: 1,
		scale: float32(1 / math.Sqrt(float64(d))),
		q:     halves(seed, streams*heads*d), k: halves(seed+1, streams*keys*kvHeads*d), v: halves(seed+2, streams*keys*kvHeads*dv),
		mask: make([]float32, streams*keys),
	}
	for i := range a.mask {
		if cell := i % keys; cell < from || cell >= from+seen+i/keys {
			a.mask[i] = hidden
		}
	}
	return a
}

// exact computes attention in float64.
func exact(a attention) []float32 {
	out := make([]float32, 0, a.streams*a.queries*a.heads*a.dv)
	for row := range a.streams * a.queries * a.heads {
		s, query, h := row/(a.queries*a.heads), row/a.heads%a.queries, row%a.heads
		q := a.q[row*a.dk:]
		head := h / (a.heads / a.kvHeads)
		scores, top := make([]float64, a.keys), math.Inf(-1)
		for c := range scores {
			k := a.k[((s*a.keys+c)*a.kvHeads+head)*a.dk:]
			for d := range a.dk {
				scores[c] += float64(q[d]) * float64(k[d])
			}
			scores[c] *= float64(a.scale)
			if a.mask != nil {
				scores[c] += float64(a.mask[(s*a.queries+query)*a.keys+c])
			}
			top = max(top, scores[c])
		}
		sums, sum := make([]float64, a.dv), 0.0
		for c := range scores {
			if math.IsInf(scores[c], -1) {
				continue
			}
			w := math.Exp(scores[c] - top)
			sum += w
			v := a.v[((s*a.keys+c)*a.kvHeads+head)*a.dv:]
			for d := range sums {
				sums[d] += w * float64(v[d])
			}
		}
		for _, x := range sums {
			if sum > 0 {
				x /= sum
			}
			out = append(out, float32(x))
		}
	}
	return out
}

func TestNextAttention(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		for _, s := range []struct{ d, dv, heads, kvHeads, streams, keys, from, seen int }{
			{64, 64, 15, 5, 2, 256, 0, 130}, // 500M
			{64, 64, 9, 3, 1, 512, 3, 470},  // 256M
			{64, 64, 32, 32, 1, 256, 0, 99}, // 2.2B
			{72, 72, 4, 2, 3, 81, 0, 60}, {80, 80, 8, 1, 1, 33, 0, 33}, {96, 96, 6, 6, 2, 40, 7, 5}, {128, 128, 14, 2, 2, 100, 0, 77},
			{64, 48, 5, 1, 1, 17, 0, 17}, {33, 7, 4, 4, 2, 19, 2, 3}, {1, 1, 1, 1, 1, 1, 0, 1}, {256, 256, 7, 1, 1, 64, 0, 50}, {16, 130, 2, 1, 1, 9, 0, 8},
			{64, 64, 3, 1, 4, 32, 0, 0}, // the first stream sees nothing
		} {
			a := next(1, s.d, s.dv, s.heads, s.kvHeads, s.streams, s.keys, s.from, s.seen)
			for _, threads := range []int{1, 3} {
				a.threads = threads
				// ggml rounds its sums to half precision, so its error is larger.
				if d := off(attend(a), exact(a), 1e-3); !(d < 1e-6) {
					t.Errorf("%+v, %d threads: off by %g", s, threads, d)
				}
			}
		}
	})
}

// Masks with gaps, masks with finite values, no mask; several queries in a stream.
func TestNextAttentionMasks(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		const keys, queries = 75, 3
		a := next(5, 64, 64, 6, 2, 2, keys, 0, keys)
		a.queries, a.q = queries, halves(8, 2*queries*6*64)
		numbers, gaps := halves(9, 2*queries*keys), make([]float32, 2*queries*keys)
		for i := range gaps {
			if i%7 < 2 || i%keys/16 == 2 {
				gaps[i], numbers[i] = hidden, hidden
			}
		}
		for name, mask := range map[string][]float32{"none": nil, "gaps": gaps, "numbers": numbers, "all seen": make([]float32, len(gaps))} {
			a.mask = mask
			if d := off(attend(a), exact(a), 1e-3); !(d < 1e-6) {
				t.Errorf("%s: off by %g", name, d)
			}
		}
	})
}

// A query's result is bit-identical beside other streams, in a longer cache, with
// its cells in other places, and on any number of threads.
func TestNextAttentionAlone(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		const d, heads, kvHeads, streams, keys, seen = 80, 6, 3, 5, 128, 61
		together := next(11, d, d, heads, kvHeads, streams, keys, 0, seen)
		want := attend(together)
		together.threads = 4
		if !slices.Equal(attend(together), want) {
			t.Error("four threads give another result than one")
		}
		const row, cell = heads * d, kvHeads * d
		for s := range streams {
			for _, at := range []struct{ keys, first, gap int }{{seen + s, 0, 0}, {keys, 0, 0}, {keys + 200, 9, 0}, {keys + 200, 9, 1}, {2*keys + 7, 5, 33}} {
				one := next(99, d, d, heads, kvHeads, 1, at.keys, 0, 0)
				copy(one.q, together.q[s*row:])
				for i := range seen + s {
					c := at.first + i
					if i > 20 {
						c += at.gap
					}
					one.mask[c] = 0
					copy(one.k[c*cell:(c+1)*cell], together.k[(s*keys+i)*cell:])
					copy(one.v[c*cell:(c+1)*cell], together.v[(s*keys+i)*cell:])
				}
				if !slices.Equal(attend(one), want[s*row:(s+1)*row]) {
					t.Errorf("stream %d alone, %+v: another result", s, at)
				}
			}
		}
	})
}

// Hidden cells contain data of an earlier photo and must not change the result,
// even if it is NaN. NaN in a visible cell must show in the result.
func TestNextAttentionOfNoNumbers(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		const d, kvHeads, keys, seen = 64, 2, 50, 30
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			a := next(21, d, d, 4, kvHeads, 1, keys, 0, seen)
			want := attend(a)
			for i := seen * kvHeads * d; i < len(a.k); i++ {
				a.k[i], a.v[i] = bad, bad
			}
			if !slices.Equal(attend(a), want) {
				t.Errorf("%v in hidden cells changes the result", bad)
			}
			for name, to := range map[string][]float32{"key": a.k, "value": a.v, "query": a.q} {
				was := to[3]
				to[3] = bad // of the first kv head
				got := attend(a)
				if x := float64(got[3]); !math.IsNaN(x) && !math.IsInf(x, 0) {
					t.Errorf("%v in a %s gives %v", bad, name, x)
				}
				if !slices.Equal(got[2*d:], want[2*d:]) {
					t.Errorf("%v in a %s changes what other heads see", bad, name)
				}
				to[3] = was
			}
		}
	})
}

// Operations that the kernel does not support are computed by ggml: the results
// are bit-identical.
func TestNextAttentionLeft(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		for name, change := range map[string]func(*attention){
			"floats":            func(a *attention) { a.kind = f32 },
			"bfloat16":          func(a *attention) { a.kind = bf16 },
			"8 bits":            func(a *attention) { a.kind = q8_0 },
			"ALiBi":             func(a *attention) { a.alibi = 8 },
			"a soft cap":        func(a *attention) { a.softcap = 30 },
			"sinks":             func(a *attention) { a.sinks = random(3, a.heads) },
			"a mask for a head": func(a *attention) { a.maskHeads, a.mask = a.heads, slices.Repeat(a.mask, a.heads) },
		} {
			a := next(31, 64, 64, 4, 2, 2, 40, 0, 31)
			change(&a)
			ggml, mine := both(func() []float32 { return attend(a) })
			if !slices.Equal(ggml, mine) {
				t.Errorf("%s: off by %g from ggml's", name, off(mine, ggml, 0))
			}
			if len(ggml) == 0 || math.IsNaN(float64(ggml[0])) {
				t.Errorf("%s: ggml gives no numbers", name)
			}
		}
		a := next(31, 64, 64, 4, 2, 2, 40, 0, 31)
		LeaveNextAttention(true)
		ggml, mine := both(func() []float32 { return attend(a) })
		LeaveNextAttention(false)
		if !slices.Equal(ggml, mine) || slices.Equal(ggml, attend(a)) {
			t.Error("it cannot be left to ggml")
		}
	})
}

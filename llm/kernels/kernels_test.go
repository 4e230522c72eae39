//go:build !llama_system

package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/x448/float16"
)

// eachSet runs a test with every set of kernels that this CPU can run.
func eachSet(t *testing.T, f func(*testing.T)) {
	n := 0
	for _, set := range Sets() {
		t.Setenv("PHOTODESC_KERNELS", set)
		n++
		enable(set, false)
		t.Run(set, f)
	}
	if n == 0 {
		t.Skip("there are no kernels for this CPU")
	}
}

func TestCheck(t *testing.T) {
	valid := []string{"", "0", "exact"}
	for _, set := range Sets() {
		valid = append(valid, set, set+"-exact")
	}
	for _, value := range valid {
		t.Setenv("PHOTODESC_KERNELS", value)
		if err := Check(); err != nil {
			t.Errorf("%q: %v", value, err)
		}
	}
	for _, value := range []string{"bogus", "AVX2", "avx2exact", "0-exact", "-exact", " avx2", "1", "avx2-exact-exact"} {
		t.Setenv("PHOTODESC_KERNELS", value)
		err := Check()
		if err == nil {
			t.Errorf("%q is no error", value)
			continue
		}
		for _, name := range append([]string{value}, Sets()...) {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%q: %v does not name %s", value, err, name)
			}
		}
	}
}

func random(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 7))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// both runs a computation with ggml alone and with the kernels.
func both(f func() []float32) (ggml, mine []float32) {
	use(false)
	ggml = f()
	use(true)
	return ggml, f()
}

// off is the root mean square of the differences, divided by that of the
// expected values or by least if that is more.
func off(got, want []float32, least float64) float64 {
	var d, w float64
	for i := range want {
		if math.IsNaN(float64(got[i])) {
			return math.NaN()
		}
		d += math.Pow(float64(got[i]-want[i]), 2)
		w += math.Pow(float64(want[i]), 2)
	}
	return math.Sqrt(d / max(w, least*least*float64(len(want))))
}

// Rounding both factors to bfloat16 (8 bits) gives products a random error of
// 2⁻⁹·√2/√3, that is 0.16 %. ggml rounds as well, to half precision or 8 bits.
const bound = 0.01

// shape is one of a product; ofType is one with weights of a type.
type shape struct{ k, n, m, batches int }

type ofType struct {
	w weights
	shape
}

func TestProducts(t *testing.T) {
	byGGML := map[ofType][]float32{}
	eachSet(t, func(t *testing.T) { products(t, byGGML) })
}

// products compares with the products of ggml alone, which it keeps for the other sets.
func products(t *testing.T, byGGML map[ofType][]float32) {
	shapes := []shape{
		{32, 1, 1, 1}, {64, 31, 5, 1}, {96, 33, 12, 1}, {160, 480, 64, 1}, {768, 768, 37, 1}, {256, 515, 13, 2},
		{3072, 100, 25, 1}, {2080, 70, 7, 1}, {1152, 96, 24, 3}, {256, 16, 1, 1}, {512, 17, 16, 1}, {512, 80, 33, 1}, {512, 49, 3, 2}, {64, 1000, 22, 2},
	}
	threadCounts := []int{1, 3}
	if testing.Short() {
		threadCounts = threadCounts[1:]
	}
	for _, s := range shapes {
		if testing.Short() && s.k*s.n*s.m*s.batches > 1<<20 {
			continue // ggml's product is slow under AddressSanitizer
		}
		a, x := random(1, s.k*s.n), random(2, s.k*s.m*s.batches)
		for _, w := range []weights{f32, f16, bf16, q8_0, q4_0, q4_K, q6_K} {
			want, known := byGGML[ofType{w, s}]
			if !known {
				use(false)
				want = product(w, s.k, s.n, s.m, s.batches, 1, false, a, x)
				use(true)
				byGGML[ofType{w, s}] = want
			}
			if want == nil {
				continue // rows too short for the type
			}
			for _, next := range []bool{false, true} {
				for _, threads := range threadCounts {
					got := product(w, s.k, s.n, s.m, s.batches, threads, next, a, x)
					if d := off(got, want, math.Sqrt(float64(s.k))); !(d < bound) {
						t.Errorf("type %d, %+v, next tokens %v, %d threads: off by %.4f", w, s, next, threads, d)
					}
				}
			}
		}
	}
}

// Lengths for which a row does not fill whole blocks of 32.
func TestProductsOfOddLength(t *testing.T) { eachSet(t, productsOfOddLength) }

func productsOfOddLength(t *testing.T) {
	for _, w := range []weights{f32, f16, bf16} {
		for _, k := range []int{33, 40, 63, 72, 127} {
			a, x := random(1, k*35), random(2, k*14)
			want, got := both(func() []float32 { return product(w, k, 35, 14, 1, 2, false, a, x) })
			if d := off(got, want, 0); !(d < bound) {
				t.Errorf("type %d, k %d: off by %.4f", w, k, d)
			}
		}
	}
}

// Compares Q8_0 with sums in float64: the largest values of a byte, sizes that
// fill no panel and no register tile, activations from tiny to huge.
func TestQ8(t *testing.T) { eachSet(t, q8Values) }

func q8Values(t *testing.T) {
	constant := func(v int8) func(int) int8 { return func(int) int8 { return v } }
	for name, weight := range map[string]func(int) int8{
		"-128": constant(-128), "127": constant(127), "0": constant(0),
		"signs":  func(i int) int8 { return int8(255*(i&1) - 128) },
		"random": func(i int) int8 { return int8(i * 2654435761 >> 9) },
	} {
		for _, s := range []struct{ k, n, m int }{{32, 1, 1}, {96, 33, 8}, {160, 63, 15}, {1056, 97, 13}, {4096, 40, 3}} {
			for _, size := range []float32{1, 1e-6, 1e6} {
				for _, next := range []bool{false, true} {
					if next && size < 1 {
						continue // scales of next tokens are in half precision, which holds no numbers so small
					}
					w, scales, x := make([]int8, s.k*s.n), random(1, s.k*s.n/32), random(2, s.k*s.m)
					for i := range w {
						w[i] = weight(i)
					}
					for i := range x {
						if x[i] *= size; name == "signs" {
							x[i] = size * float32(1-2*(i&1))
						}
					}
					want, sizes := make([]float32, s.n*s.m), 0.0
					for i := range want {
						sum := 0.0
						for k := range s.k {
							p := float64(x[i/s.n*s.k+k]) * float64(w[i%s.n*s.k+k]) * float64(half(scales[(i%s.n*s.k+k)/32]))
							sum += p
							sizes += p * p
						}
						want[i] = float32(sum)
					}
					got := productQ8(s.k, s.n, s.m, 1, next, w, scales, x)
					// Products may cancel out, but their rounding errors do not.
					if d := off(got, want, math.Sqrt(sizes/float64(len(want)))+1e-30); !(d < bound) {
						t.Errorf("weights %s, %+v, activations of %g, next tokens %v: off by %.4f", name, s, size, next, d)
					}
				}
			}
		}
	}
}

// half rounds to half precision.
func half(v float32) float32 { return float16.Fromfloat32(v).Float32() }

// Operands that are not finite must not give a finite result: the engine detects
// broken drivers and files by it.
func TestNotFinite(t *testing.T) { eachSet(t, notFinite) }

func notFinite(t *testing.T) {
	const k, n, m, row, column = 96, 70, 17, 9, 41
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	finite := func(v float32) bool { return v-v == 0 }
	for _, next := range []bool{false, true} {
		if next && !strings.HasSuffix(Name(), "8-bit integers") {
			continue // ggml's own
		}
		for _, bad := range []float32{nan, inf, -inf} {
			for at := range k {
				w, scales, x := make([]int8, k*n), random(1, k*n/32), random(2, k*m)
				for i := range w {
					w[i] = int8(i%251 - 125)
				}
				x[row*k+at] = bad
				for i, v := range productQ8(k, n, m, 1, next, w, scales, x) {
					if finite(v) != (i/n != row) && (i/n != row || w[i%n*k+at] != 0) {
						t.Fatalf("%g at %d of row %d, next tokens %v: row %d, column %d is %g", bad, at, row, next, i/n, i%n, v)
					}
				}
				x[row*k+at] = 0
				scales[column*k/32+at/32] = bad
				for i, v := range productQ8(k, n, m, 1, next, w, scales, x) {
					if finite(v) != (i%n != column) {
						t.Fatalf("a scale of %g in column %d, next tokens %v: row %d, column %d is %g", bad, column, next, i/n, i%n, v)
					}
				}
			}
		}
	}
}

// A row's result is bit-identical whichever rows are computed with it, so a
// photo's description does not depend on the other photos of a step.
func TestRowsAlone(t *testing.T) { eachSet(t, rowsAlone) }

func rowsAlone(t *testing.T) {
	const k, n = 320, 70
	a := random(1, k*n)
	for _, w := range []weights{f16, q8_0} {
		for _, next := range []bool{false, true} {
			if next && (w != q8_0 || !strings.HasSuffix(Name(), "8-bit integers")) {
				continue // ggml's own
			}
			const rows = 40
			x := random(3, k*rows)
			all := product(w, k, n, rows, 1, 2, next, a, x)
			for m := range rows {
				one := product(w, k, n, 1, 1, 1, next, a, x[m*k:(m+1)*k])
				if !slices.Equal(one, all[m*n:(m+1)*n]) {
					t.Fatalf("type %d, next tokens %v: row %d differs when it is alone", w, next, m)
				}
			}
		}
	}
}

func TestAttention(t *testing.T) { eachSet(t, attentions) }

func attentions(t *testing.T) {
	for _, s := range []struct {
		dk, dv, queries, keys, heads, kvHeads int
		mask                                  bool
	}{
		{32, 32, 1, 1, 1, 1, false}, {64, 64, 64, 64, 3, 3, false}, {72, 72, 29, 81, 2, 2, false}, {64, 64, 100, 256, 6, 2, true},
		{64, 48, 13, 33, 4, 1, true}, {80, 80, 77, 300, 2, 1, true}, {128, 128, 12, 40, 8, 2, true},
	} {
		for _, threads := range []int{1, 3} {
			q, k, v := random(1, s.heads*s.queries*s.dk), random(2, s.kvHeads*s.keys*s.dk), random(3, s.kvHeads*s.keys*s.dv)
			var mask []float32
			if s.mask { // causal: the last query sees all keys
				mask = make([]float32, s.queries*s.keys)
				for i := range mask {
					if i%s.keys > s.keys-s.queries+i/s.keys && i%s.keys > 0 {
						mask[i] = float32(math.Inf(-1))
					}
				}
			}
			scale := float32(1 / math.Sqrt(float64(s.dk)))
			want, got := both(func() []float32 {
				return attend(attention{dk: s.dk, dv: s.dv, queries: s.queries, keys: s.keys, heads: s.heads, kvHeads: s.kvHeads,
					threads: threads, scale: scale, q: q, k: k, v: v, mask: mask})
			})
			if d := off(got, want, 0); !(d < bound) {
				t.Errorf("%+v, %d threads: off by %.4f", s, threads, d)
			}
		}
	}
}

// Additional masked keys do not change a bit of the result: the length of the
// KV cache also depends on the other sequences.
func TestMaskedKeys(t *testing.T) { eachSet(t, maskedKeys) }

func maskedKeys(t *testing.T) {
	const d, queries, keys, more = 64, 20, 50, 256
	q, k, v := random(1, queries*d), random(2, more*d), random(3, more*d)
	masked := func(n int) []float32 {
		mask := make([]float32, queries*n)
		for i := range mask {
			if i%n >= keys-queries+i/n+1 {
				mask[i] = float32(math.Inf(-1))
			}
		}
		return mask
	}
	a := attention{dk: d, dv: d, queries: queries, keys: keys, heads: 1, kvHeads: 1, threads: 1, scale: 0.125, q: q, k: k[:keys*d], v: v[:keys*d], mask: masked(keys)}
	short := attend(a)
	a.keys, a.k, a.v, a.mask = more, k, v, masked(more)
	long := attend(a)
	if !slices.Equal(short, long) {
		t.Errorf("off by %g", off(long, short, 0))
	}
}

// Keys that the mask hides from some queries are skipped. Each query sees a
// window of its own here, which lies in other blocks of keys for some, or no key,
// and some keys get less weight: its result is ggml's, and bit-identical when it
// or its head is alone.
func TestWindows(t *testing.T) { eachSet(t, windows) }

func windows(t *testing.T) {
	const d, queries, keys, heads = 32, 26, 1100, 3
	mask := make([]float32, queries*keys)
	for i := range mask {
		row, key := i/keys, i%keys
		first := row * 40
		if key < first || key > first+row%7*45 || row == 9 {
			mask[i] = float32(math.Inf(-1))
		} else if row%3 == 0 && key%100 < 3 {
			mask[i] = -float32(key%100) - 0.5
		}
	}
	a := attention{dk: d, dv: d, queries: queries, keys: keys, heads: heads, kvHeads: 1, threads: 1, scale: 0.2,
		q: random(1, heads*queries*d), k: random(2, keys*d), v: random(3, keys*d), mask: mask}
	want, all := both(func() []float32 { return attend(a) }) // queries×heads×d
	for h := range heads {
		head := a
		head.heads, head.q = 1, a.q[h*queries*d:(h+1)*queries*d]
		alone := attend(head)
		for i := range queries {
			at := (i*heads + h) * d
			mine := all[at : at+d]
			if off := off(mine, want[at:at+d], 0.01); !(off < bound) && i != 9 {
				t.Errorf("query %d of head %d is off by %.4f", i, h, off)
			}
			if !slices.Equal(alone[i*d:(i+1)*d], mine) {
				t.Errorf("query %d differs when head %d is alone", i, h)
			}
			one := head
			one.queries, one.q, one.mask = 1, head.q[i*d:(i+1)*d], mask[i*keys:(i+1)*keys]
			if !slices.Equal(attend(one), mine) {
				t.Errorf("query %d of head %d differs when it is alone", i, h)
			}
		}
	}
}

func TestGELU(t *testing.T) { eachSet(t, geluValues) }

func geluValues(t *testing.T) {
	x := append(random(1, 1003), 0, -100, 100, -20, 20, 1e-8, -1e-8, 3e38, -3e38)
	got := gelu(2, x)
	for i, v := range x {
		f := float64(v)
		want := 0.5 * f * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(f+0.044715*f*f*f)))
		if math.Abs(float64(got[i])-want) > 1e-5*math.Max(1, math.Abs(f)) {
			t.Errorf("gelu(%g) = %g, want %g", v, got[i], want)
		}
	}
}

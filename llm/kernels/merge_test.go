//go:build !llama_system

package kernels

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// An encoder whose operations are merged computes what it did before: the
// result is held against ggml's own of the graph as it was.
func TestMergedEncoder(t *testing.T) { eachSet(t, mergedEncoder) }

func mergedEncoder(t *testing.T) {
	data := random(1, 200_000)
	for i := range data {
		data[i] *= 0.15
	}
	const embd, patches = 64, 7
	for _, c := range []struct {
		weights weights
		threads int
		shared  bool // the last product is used without its bias, too
	}{{f16, 1, false}, {f16, 1, true}, {q8_0, 1, false}, {q8_0, 2, true}} {
		use(false)
		plain, want := encoder(c.weights, embd, patches, c.threads, false, c.shared, data)
		use(true)
		n, got := encoder(c.weights, embd, patches, c.threads, true, c.shared, data)
		if d := off(got, want, 0); !(d < 2*bound) { // some ten operations in a row; up to 0.0105
			t.Errorf("%+v: off by %.4f", c, d)
		}
		// Merged: two biases of patches, six of products, two residuals, GELU, two norms'
		// factors and biases, two copies, and six steps of turning the patches.
		if merged := plain - n; merged != 23 && !c.shared || merged != 21 && c.shared {
			t.Errorf("%+v: %d operations of %d are left", c, n, plain)
		}
	}
}

// Attention in bytes, held against doubles. All keys have much in common, and
// some are a hundred times larger than others.
func TestAttentionInBytes(t *testing.T) { eachSet(t, attentionInBytes) }

func attentionInBytes(t *testing.T) {
	for _, s := range []struct{ d, queries, keys int }{{64, 30, 1024}, {72, 13, 700}, {32, 1, 1}, {48, 12, 33}, {256, 5, 40}} {
		q, k, v := random(1, s.queries*s.d), random(2, s.keys*s.d), random(3, s.keys*s.d)
		common := random(4, s.d)
		for i := range k {
			if i/s.d%5 == 0 {
				k[i] *= 0.01
			}
			k[i] = half(k[i] + 8*common[i%s.d])
		}
		for i := range v {
			v[i] = half(v[i])
		}
		a := attention{dk: s.d, dv: s.d, queries: s.queries, keys: s.keys, heads: 1, kvHeads: 1, threads: 1,
			scale: float32(1 / math.Sqrt(float64(s.d))), q: q, k: k, v: v, bytes: true}
		if d := off(attend(a), exactly(a), 0.1); !(d < 1.1*bound) { // up to 0.0103
			t.Errorf("%+v: off by %.4f", s, d)
		}
		// A query that is 0 attends to all keys alike.
		was := slices.Clone(q[:s.d])
		clear(q[:s.d])
		if d := off(attend(a), exactly(a), 0.1); !(d < 1.1*bound) {
			t.Errorf("%+v: with a query of zeros off by %.4f", s, d)
		}
		copy(q, was)
		// A query alone.
		if all := attend(a); s.queries > 1 {
			a.q, a.queries = q[s.d:2*s.d], 1
			if one := attend(a); !slices.Equal(one, all[s.d:2*s.d]) {
				t.Errorf("%+v: a query differs when it is alone", s)
			}
		}
		bads := []float32{float32(math.NaN()), math.Float32frombits(0x7fc001ff)}
		if strings.Contains(Name(), "8-bit integers") { // in floats a score of minus infinity is a masked one
			bads = append(bads, float32(math.Inf(1)), float32(math.Inf(-1)))
		}
		for _, bad := range bads {
			for _, x := range [][]float32{a.q, k, v} {
				was := x[0]
				x[0] = bad
				if got := attend(a); got[0]-got[0] == 0 {
					t.Errorf("%+v: %g becomes %g", s, bad, got[0])
				}
				x[0] = was
			}
		}
	}
}

// A query that may attend to no key.
func TestNothingToAttendTo(t *testing.T) { eachSet(t, nothingToAttendTo) }

func nothingToAttendTo(t *testing.T) {
	const d, keys = 32, 600
	mask := make([]float32, 2*keys)
	for i := range keys {
		mask[i] = float32(math.Inf(-1))
	}
	got := attend(attention{dk: d, dv: d, queries: 2, keys: keys, heads: 1, kvHeads: 1, threads: 1, scale: 0.2,
		q: random(1, 2*d), k: random(2, keys*d), v: random(3, keys*d), mask: mask})
	for i, x := range got {
		if x-x != 0 || (x == 0) != (i < d) {
			t.Errorf("value %d is %g", i, x)
		}
	}
}

// exactly computes attention of one head in doubles.
func exactly(a attention) []float32 {
	out := make([]float32, a.queries*a.dv)
	for i := range a.queries {
		weight, top, sum := make([]float64, a.keys), math.Inf(-1), 0.0
		for j := range weight {
			for c := range a.dk {
				weight[j] += float64(a.q[i*a.dk+c]) * float64(a.k[j*a.dk+c]) * float64(a.scale)
			}
			top = max(top, weight[j])
		}
		for j := range weight {
			weight[j] = math.Exp(weight[j] - top)
			sum += weight[j]
		}
		for c := range a.dv {
			x := 0.0
			for j := range weight {
				x += weight[j] * float64(a.v[j*a.dv+c])
			}
			out[i*a.dv+c] = float32(x / sum)
		}
	}
	return out
}

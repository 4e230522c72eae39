//go:build !llama_system

package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Attention of prompts and pictures in shapes that models seldom have: odd
// lengths, heads that share keys, several streams, a mask for each head, and masks
// that hide some keys at the beginning and in the middle, or all. It is held
// against doubles, and bit-identical on another number of threads and when a query
// is alone.
func TestAttentionShapes(t *testing.T) { eachSet(t, attentionShapes) }

func attentionShapes(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		a, mask := anyAttention(r)
		got := attend(a)
		var d, w float64
		for row := int(seed % 3); row < a.streams*a.queries*a.heads; row += 3 {
			for c, want := range inDoubles(a, row) {
				d += math.Pow(float64(got[row*a.dv+c])-want, 2)
				w += math.Pow(want, 2)
			}
		}
		if e := math.Sqrt(d / max(w, 1e-9)); !(e < 2*bound) {
			t.Errorf("%d: %s: off by %.4f", seed, mask, e)
		}
		other := a
		other.threads = a.threads%3 + 1
		if !slices.Equal(attend(other), got) {
			t.Errorf("%d: %s: another result on %d threads than on %d", seed, mask, other.threads, a.threads)
		}
		for range 2 {
			row := r.IntN(a.streams * a.queries * a.heads)
			if !slices.Equal(attend(a.alone(row)), got[row*a.dv:(row+1)*a.dv]) {
				t.Errorf("%d: %s: row %d of the result differs when its query is alone", seed, mask, row)
			}
		}
	}
}

// masks are those of anyAttention: what they add for a query and a key. from and to
// are of the query.
var masks = []struct {
	name string
	bias func(a attention, query, key, from, to int) float64
}{
	{"none", nil},
	{"none, in bytes", nil},
	{"causal", func(a attention, query, key, _, _ int) float64 { return hiddenIf(key > a.keys-a.queries+query) }},
	{"windows", func(_ attention, _, key, from, to int) float64 { return hiddenIf(key < from || key >= to) }},
	{"holes", func(a attention, _, key, from, _ int) float64 {
		return hiddenIf(key/32 == from/32 || key < 32 && a.keys > 64 || key%97 == 3)
	}},
	{"numbers", func(_ attention, query, key, _, _ int) float64 {
		return float64(key/64%2) * math.Sin(float64(query*31+key))
	}},
	{"nothing", func(attention, int, int, int, int) float64 { return hiddenIf(true) }},
	{"two sequences", func(_ attention, query, key, from, _ int) float64 {
		return hiddenIf(key/50%2 != query%2 || key == from)
	}},
	{"minus zero", func(attention, int, int, int, int) float64 { return math.Copysign(0, -1) }},
}

func hiddenIf(yes bool) float64 {
	if yes {
		return math.Inf(-1)
	}
	return 0
}

// anyAttention returns one of any shape, and says what its mask is.
func anyAttention(r *rand.Rand) (attention, string) {
	pick := func(x ...int) int { return x[r.IntN(len(x))] }
	a := attention{
		dk: pick(1, 7, 32, 33, 64, 72, 96, 255, 256, 257, 300), dv: pick(1, 7, 16, 31, 32, 48, 64, 72, 250, 256, 260),
		queries: pick(1, 2, 7, 8, 9, 12, 13, 25, 64, 65, 130), keys: pick(1, 2, 31, 32, 33, 63, 64, 100, 511, 512, 513, 544, 600, 1025),
		kvHeads: pick(1, 2, 3), streams: pick(1, 1, 2, 3), threads: pick(1, 1, 2, 3), kind: []weights{f32, f16, bf16}[r.IntN(3)], maskHeads: 1,
	}
	a.heads = a.kvHeads * pick(1, 2, 3, 4)
	for a.streams*a.heads*a.queries*a.keys*(a.dk+a.dv) > 1<<21 {
		a.queries, a.keys = (a.queries+1)/2, (a.keys+1)/2
	}
	a.scale = float32(1 / math.Sqrt(float64(a.dk)))
	seed := r.Uint64()
	a.q, a.k, a.v = random(seed, a.streams*a.heads*a.queries*a.dk), random(seed+1, a.streams*a.kvHeads*a.keys*a.dk), random(seed+2, a.streams*a.kvHeads*a.keys*a.dv)
	mask := masks[r.IntN(len(masks))]
	if a.bytes = mask.name == "none, in bytes"; mask.bias != nil {
		if r.IntN(4) == 0 {
			a.maskHeads = a.heads
		}
		for row := range a.streams * a.maskHeads * a.queries {
			from, to := r.IntN(a.keys), r.IntN(a.keys+1)
			for key := range a.keys {
				a.mask = append(a.mask, half(float32(mask.bias(a, row%a.queries, key, from, to))))
			}
		}
	}
	return a, mask.name
}

// alone returns the attention of one row of a's result: one query of one head.
func (a attention) alone(row int) attention {
	head, query, stream := row%a.heads, row/a.heads%a.queries, row/a.heads/a.queries
	part := func(x []float32, i, n int) []float32 { return x[i*n : (i+1)*n] }
	if a.mask != nil {
		a.mask = part(a.mask, (stream*a.maskHeads+head%a.maskHeads)*a.queries+query, a.keys)
	}
	kv := stream*a.kvHeads + head/(a.heads/a.kvHeads)
	a.q, a.k, a.v = part(a.q, (stream*a.heads+head)*a.queries+query, a.dk), part(a.k, kv, a.keys*a.dk), part(a.v, kv, a.keys*a.dv)
	a.streams, a.heads, a.kvHeads, a.queries, a.maskHeads, a.threads = 1, 1, 1, 1, 1, 1
	return a
}

// inDoubles computes a row of a's result; zeros if the mask hides all keys.
func inDoubles(a attention, row int) []float64 {
	a = a.alone(row)
	scores, top, sum := make([]float64, a.keys), math.Inf(-1), 0.0
	for j := range scores {
		for c := range a.dk {
			scores[j] += float64(a.q[c]) * float64(a.k[j*a.dk+c]) * float64(a.scale)
		}
		if a.mask != nil {
			scores[j] += float64(a.mask[j])
		}
		top = max(top, scores[j])
	}
	out := make([]float64, a.dv)
	for j, x := range scores {
		if math.IsInf(x, -1) {
			continue
		}
		w := math.Exp(x - top)
		sum += w
		for c := range out {
			out[c] += w * float64(a.v[j*a.dv+c])
		}
	}
	for c := range out {
		if sum > 0 {
			out[c] /= sum
		}
	}
	return out
}

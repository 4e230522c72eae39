//go:build !llama_system

package kernels

import (
	"math"
	"slices"
	"testing"
)

// Rotations by positions, held against ggml's. Sines are kept from one operation
// to the next, so each differs from the one before in one thing.
func TestRotations(t *testing.T) { eachSet(t, rotations) }

func rotations(t *testing.T) {
	const normal, neox = 0, 2 // ggml's modes
	some, others := []int32{0, 1, 2, 700, 3, 4095, 5}, []int32{0, 1, 2, 700, 3, 4095, 6}
	for _, r := range []rotation{
		{n: 64, heads: 15, threads: 1, mode: normal, scale: 1, positions: some},
		{n: 64, heads: 5, threads: 3, mode: normal, scale: 1, positions: some},
		{n: 64, heads: 5, threads: 3, mode: normal, scale: 1, positions: others},
		{n: 64, heads: 5, threads: 2, mode: normal, scale: 0.5, positions: others},
		{n: 64, heads: 5, threads: 1, mode: neox, scale: 0.5, positions: others},
		{n: 64, heads: 5, threads: 1, mode: neox, scale: 0.5, positions: others, factors: random(4, 32)},
		{n: 64, heads: 5, threads: 1, mode: neox, scale: 0.5, positions: others, factors: random(5, 32)},
		{n: 64, heads: 5, threads: 1, mode: normal, scale: 0.5, positions: others, factors: random(5, 32)},
		{n: 96, heads: 1, threads: 1, mode: normal, scale: 1, positions: others[:1]},
		{n: 32, heads: 2, threads: 2, mode: normal, scale: 1, positions: some},
		{n: 32, heads: 2, threads: 2, mode: normal, scale: 1, yarn: 1, positions: some}, // left to ggml, as what follows
		{n: 80, heads: 2, threads: 1, mode: neox, scale: 1, positions: some},
		{n: 2, heads: 2, threads: 1, mode: normal, scale: 1, positions: some},
	} {
		x := random(1, r.n*r.heads*len(r.positions))
		x[len(x)-1] = float32(math.NaN())
		want, got := both(func() []float32 { return r.compute(x) })
		for i := range want {
			if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-6) && (want[i] == want[i] || got[i] == got[i]) {
				t.Errorf("%+v: value %d is %g, want %g", r, i, got[i], want[i])
				break
			}
		}
		if !slices.EqualFunc(r.compute(x), got, sameBits) {
			t.Errorf("%+v: other values the second time", r)
		}
	}
}

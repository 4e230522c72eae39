//go:build !llama_system

package kernels

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// Norms of language models, the same bits as ggml's.
func TestRMSNorm(t *testing.T) { eachSet(t, rmsNorms) }

func rmsNorms(t *testing.T) {
	for _, c := range []struct {
		n, heads, rows, threads int
		strided                 bool
	}{{1, 1, 3, 1, false}, {960, 1, 37, 1, false}, {576, 1, 1, 2, false}, {64, 15, 5, 3, true}, {63, 3, 4, 2, true}, {2049, 1, 9, 3, false}} {
		x := random(1, c.n*(c.heads+1)*c.rows)
		for i := range x {
			x[i] *= float32(math.Exp(float64(i/c.n%40 - 20)))
		}
		want, got := both(func() []float32 { return rmsNorm(c.n, c.heads, c.rows, c.threads, c.strided, x) })
		if !slices.Equal(got, want) {
			t.Errorf("%+v: other values than ggml's", c)
		}
	}
}

// Activations that two products read are rounded once, and anew when the graph is
// computed again: each product is the same as one that reads them alone.
func TestSharedActivations(t *testing.T) { eachSet(t, sharedActivations) }

func sharedActivations(t *testing.T) {
	const times = 3
	for _, c := range []struct{ k, n, m, threads int }{{32, 40, 1, 1}, {96, 33, 15, 1}, {320, 100, 9, 3}, {64, 31, 1, 2}, {1056, 32, 29, 1}} {
		for _, kind := range []struct{ next, merged bool }{{false, false}, {false, true}, {true, false}} {
			w, factor, x := random(1, 2*c.n*c.k), random(2, c.k), random(3, times*c.m*c.k)
			x[1] = float32(math.NaN()) // only the first time
			got := sharedProducts(c.k, c.n, c.m, c.threads, times, kind.next, kind.merged, w, factor, x)
			for i := range x {
				x[i] *= factor[i%c.k]
			}
			for i := range 2 * times {
				want := product(q8_0, c.k, c.n, c.m, 1, c.threads, kind.next, w[i%2*c.n*c.k:(i%2+1)*c.n*c.k], x[i/2*c.m*c.k:(i/2+1)*c.m*c.k])
				if !slices.EqualFunc(got[i*c.n*c.m:(i+1)*c.n*c.m], want, sameBits) {
					t.Errorf("%+v, %+v: product %d of time %d differs from the same one alone", c, kind, i%2, i/2)
				}
			}
		}
	}
}

// sameBits reports whether two values are equal to the bit, or both no number.
func sameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// What norms, GELU and attention round themselves is the same as what products round.
func TestRoundedWhereComputed(t *testing.T) { eachSet(t, roundedWhereComputed) }

func roundedWhereComputed(t *testing.T) {
	integers := os.Getenv("PHOTODESC_KERNELS") != "avx512" // the only set that has no such products
	bytes := strings.Contains(Name(), "8-bit integers")    // in attention
	for _, c := range []struct {
		rounding
		want int // operations that write integers
	}{
		{rounding{embd: 64, hidden: 128, rows: 7, planned: 1, threads: 1}, 2},
		{rounding{embd: 96, hidden: 160, rows: 13, planned: 1, threads: 1}, 2},
		{rounding{embd: 96, hidden: 32, rows: 50, planned: 3, threads: 3}, 2},
		{rounding{embd: 32, hidden: 1152, rows: 9, planned: 3, threads: 3}, 2}, // 3 panels of 32 for a chunk, but for rounding
		{rounding{embd: 32, hidden: 1056, rows: 29, planned: 4, threads: 2}, 2},
		{rounding{embd: 160, hidden: 96, rows: 6, planned: 2, threads: 2}, 2},
		{rounding{embd: 320, hidden: 224, rows: 37, planned: 1, threads: 1}, 2},
		{rounding{embd: 64, hidden: 128, rows: 1, planned: 1, threads: 1}, 0}, // less memory than a tile's
		{rounding{embd: 64, hidden: 128, rows: 20, planned: 1, threads: 1, read: 1}, 1},
		{rounding{embd: 64, hidden: 128, rows: 20, planned: 1, threads: 1, read: 2}, 1},
		{rounding{embd: 64, hidden: 128, rows: 20, planned: 1, threads: 1, read: 3}, 1},
		{rounding{embd: 192, hidden: 64, rows: 45, planned: 1, threads: 1, head: 64}, 3},
		{rounding{embd: 256, hidden: 64, rows: 300, planned: 3, threads: 2, head: 128}, 3},
		{rounding{embd: 192, hidden: 64, rows: 45, planned: 2, threads: 2, head: 96}, 2}, // half of a scale's columns
		{rounding{embd: 192, hidden: 64, rows: 45, planned: 2, threads: 2, head: 64, read: 4}, 2},
	} {
		if !integers {
			c.want = 0
		} else if !bytes && c.want == 3 {
			c.want = 2
		}
		data := random(1, c.rows*c.embd+2*c.embd+c.embd*(c.embd+1)+c.hidden*(c.embd+1)+c.embd*(c.hidden+1)+4*c.embd*(c.embd+1))
		hidden := c.rows*c.embd + 2*c.embd + c.embd*(c.embd+1) + c.hidden*c.embd // GELU's bias
		for _, bad := range []struct {
			at    int
			value float32
			rows  int // that are not finite
		}{
			{0, data[0], 0},
			{(c.rows / 2) * c.embd, float32(math.NaN()), 1},
			{hidden + c.hidden - 1, 1e35, c.rows},
			{hidden, float32(math.Inf(1)), c.rows},
		} {
			if c.threads > 1 && bad.rows == 1 || c.read > 0 && bad.rows > 0 {
				continue // threads wait for each other, which takes time
			}
			if c.head > 0 && bad.rows == 1 {
				bad.rows = c.rows // all attend to this one
			}
			was := data[bad.at]
			data[bad.at] = bad.value
			n, got := c.compute(false, data)
			_, want := c.compute(true, data)
			data[bad.at] = was
			if n != c.want {
				t.Errorf("%+v: %d operations write integers", c, n)
			}
			if !slices.EqualFunc(got, want, sameBits) {
				t.Errorf("%+v, value %d is %g: the result differs", c, bad.at, bad.value)
			}
			rows := 0
			for row := range slices.Chunk(got, c.embd) {
				if slices.ContainsFunc(row, func(x float32) bool { return x-x != 0 }) {
					rows++
				}
			}
			if integers && rows != bad.rows {
				t.Errorf("%+v, value %d is %g: %d rows are not finite", c, bad.at, bad.value, rows)
			}
		}
	}
}

package damage

import (
	"bytes"
	"fmt"
	"math/rand"
	"testing"
)

func runs(data []byte, from, to, least int64) (found []run) {
	if err := findZeros(bytes.NewReader(data), from, to, least, func(z run) bool {
		found = append(found, z)
		return true
	}); err != nil {
		panic(err)
	}
	return found
}

// TestZeros compares findZeros with a simple implementation, also for runs that
// cross the borders of chunks.
func TestZeros(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	const size = 3<<20 + 17
	for round := range 30 {
		data := bytes.Repeat([]byte{1}, size)
		for range 40 {
			at, n := r.Intn(size), 1+r.Intn(200)
			switch r.Intn(4) {
			case 0:
				at = 1<<20 - r.Intn(100)
			case 1:
				at, n = r.Intn(size), r.Intn(2<<20)
			}
			clear(data[at:min(at+n, size)])
		}
		from, to, least := int64(r.Intn(1000)), int64(size-r.Intn(1000)), int64(1+r.Intn(100))
		var want []run
		for i := from; i < to; i++ {
			start := i
			for i < to && data[i] == 0 {
				i++
			}
			if i-start >= least {
				want = append(want, run{start, i})
			}
		}
		if got := runs(data, from, to, least); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("round %d: got %v, want %v", round, got, want)
		}
	}
	if got := runs(make([]byte, 100), 10, 1000, 64); len(got) != 1 || got[0] != (run{10, 100}) {
		t.Errorf("of a file that is shorter: %v", got)
	}
}

package bench

import "testing"

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		all  []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{5, 1, 100}, 5}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := Median(test.all); got != test.want {
			t.Errorf("%v: %v, want %v", test.all, got, test.want)
		}
	}
	all := []float64{3, 1, 2}
	if Median(all); all[0] != 3 {
		t.Error("the rounds were sorted in place")
	}
}

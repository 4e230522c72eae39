package tracker

import "slices"

// Stats describe a set of measurements.
type Stats struct {
	Count  int     `json:"count"`
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"` // 95 of 100 are at most this
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// series are measurements, all of them, so that the median needs no guessing.
type series []float32

// stats sorts the series. Its figures have three decimals, as seconds do in result
// lines: what is beyond comes from the arithmetic.
func (s series) stats() Stats {
	if len(s) == 0 {
		return Stats{}
	}
	slices.Sort(s)
	sum := 0.0
	for _, v := range s {
		sum += float64(v)
	}
	n := len(s)
	median := (float64(s[(n-1)/2]) + float64(s[n/2])) / 2
	all := Stats{
		Count: n, Mean: sum / float64(n), Median: median,
		P95: float64(s[(95*n+99)/100-1]), // nearest rank
		Min: float64(s[0]), Max: float64(s[n-1]),
	}
	for _, v := range []*float64{&all.Mean, &all.Median, &all.P95, &all.Min, &all.Max} {
		*v = round(*v, 3)
	}
	return all
}

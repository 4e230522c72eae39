package bench

import "slices"

// Median returns the middle value, or the mean of the two in the middle; 0 if there
// are no values.
func Median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(all))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// MedianOf returns the median of f over the rounds.
func MedianOf[R any](rounds []R, f func(R) float64) float64 {
	var all []float64
	for _, r := range rounds {
		all = append(all, f(r))
	}
	return Median(all)
}

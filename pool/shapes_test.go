package pool

import (
	"slices"
	"testing"
)

func TestShapes(t *testing.T) {
	for cpus, want := range map[int][]Shape{
		0: {{1, 1}}, 1: {{1, 1}}, 2: {{2, 1}, {1, 2}}, 3: {{3, 1}, {1, 2}, {1, 3}},
		8: {{8, 1}, {4, 1}, {4, 2}, {2, 4}, {1, 8}}, 64: {{64, 1}, {32, 1}, {32, 2}, {16, 4}, {8, 8}, {4, 16}, {2, 32}, {1, 64}},
	} {
		if got := Shapes(cpus); !slices.Equal(got, want) {
			t.Errorf("%d cores: %v, want %v", cpus, got, want)
		}
	}
}

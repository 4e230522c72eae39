package llm

import "testing"

// The rules of the reference, worked out by hand from its definition.
func TestPlanTiles(t *testing.T) {
	for _, c := range []struct {
		w, h, longest, tile      int
		fitW, fitH, fullW, fullH int
		rows, cols               int
	}{
		{512, 384, 2048, 512, 2048, 1536, 2048, 1536, 3, 4},
		{512, 384, 512, 512, 512, 384, 512, 512, 0, 0},
		{1024, 768, 1024, 512, 1024, 768, 1024, 1024, 2, 2},
		{4000, 3000, 2048, 512, 2048, 1536, 2048, 1536, 3, 4},
		{3000, 4000, 2048, 512, 1536, 2048, 1536, 2048, 4, 3},
		{1000, 1000, 2048, 512, 2048, 2048, 2048, 2048, 4, 4},
		{4000, 3000, 1536, 384, 1536, 1152, 1536, 1152, 3, 4},
		// The short side is truncated, then made even: 2048/(1000/333) = 681.9…
		{1000, 333, 2048, 512, 2048, 682, 2048, 1024, 2, 4},
		{333, 1000, 2048, 512, 682, 2048, 1024, 2048, 4, 2},
		// …and 2048/(1000/331) = 677.8 becomes 678.
		{1000, 331, 2048, 512, 2048, 678, 2048, 1024, 2, 4},
		// A line: the short side is at least one pixel.
		{5000, 1, 2048, 512, 2048, 1, 2048, 512, 1, 4},
		{1, 5000, 2048, 512, 1, 2048, 512, 2048, 4, 1},
		{1, 1, 2048, 512, 2048, 2048, 2048, 2048, 4, 4},
		{1, 1, 1, 512, 1, 2, 512, 512, 0, 0},
		{300, 200, 300, 512, 300, 200, 512, 512, 0, 0},
		// Just over a tile in one direction.
		{514, 100, 514, 512, 514, 100, 1024, 512, 1, 2},
	} {
		got := PlanTiles(c.w, c.h, c.longest, c.tile)
		want := Grid{c.fitW, c.fitH, c.fullW, c.fullH, c.rows, c.cols}
		if got != want {
			t.Errorf("%d×%d to %d, tile %d: %+v, want %+v", c.w, c.h, c.longest, c.tile, got, want)
		}
	}
}

func TestPlanTilesInvariants(t *testing.T) {
	for w := 1; w < 3000; w += 37 {
		for h := 1; h < 3000; h += 41 {
			for _, d := range []Detail{DetailLow, DetailAuto, DetailHigh, "700"} {
				g := PlanTiles(w, h, d.longest(w, h, 512, 2048), 512)
				if g.FullW%512 != 0 || g.FullH%512 != 0 || g.FullW < g.FitW || g.FullH > 2048+512 {
					t.Fatalf("%d×%d %s: %+v", w, h, d, g)
				}
				if g.Tiles() > 17 {
					t.Fatalf("%d×%d %s: %d tiles", w, h, d, g.Tiles())
				}
			}
		}
	}
}

func TestDetail(t *testing.T) {
	for _, c := range []struct {
		d       Detail
		w, h    int
		longest int
	}{
		{DetailLow, 4000, 3000, 512},
		{DetailLow, 100, 80, 512},
		{DetailAuto, 4000, 3000, 1024},
		{DetailAuto, 300, 200, 300},
		{DetailHigh, 300, 200, 2048},
		{"768", 300, 200, 768},
		{"4096", 300, 200, 2048},
	} {
		if got := c.d.longest(c.w, c.h, 512, 2048); got != c.longest {
			t.Errorf("%s of %d×%d: longest %d, want %d", c.d, c.w, c.h, got, c.longest)
		}
	}
	for _, bad := range []string{"", "medium", "0", "-5", "1e3", "99999"} {
		if _, err := ParseDetail(bad); err == nil {
			t.Errorf("ParseDetail(%q) gave no error", bad)
		}
	}
	for _, good := range []string{"low", "auto", "high", "1024"} {
		if d, err := ParseDetail(good); err != nil || string(d) != good {
			t.Errorf("ParseDetail(%q) = %q, %v", good, d, err)
		}
	}
}

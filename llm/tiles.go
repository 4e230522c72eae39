package llm

import "math"

// Grid says how a picture is cut into tiles, by the rules of the reference (the
// image processor of Idefics3/SmolVLM in transformers). All sizes are in pixels.
type Grid struct {
	// FitW, FitH: the picture with its longest edge at the wanted length.
	FitW, FitH int
	// FullW, FullH: rounded up to multiples of the tile.
	FullW, FullH int
	// Rows, Cols of tiles; both 0 when the whole picture is one frame.
	Rows, Cols int
}

// Tiles is the number of tiles to encode: those of the grid and the whole picture
// scaled to one tile.
func (g Grid) Tiles() int { return g.Rows*g.Cols + 1 }

// maxFit limits the longest edge in pixels, as MAX_IMAGE_SIZE of the reference does.
const maxFit = 4096

// PlanTiles plans the tiles of a width×height picture whose longest edge is
// brought to longest, for an encoder that takes tile×tile pixels.
func PlanTiles(width, height, longest, tile int) Grid {
	longest = min(max(longest, 1), maxFit)
	var g Grid
	g.FitW, g.FitH = fit(width, height, longest)
	g.FullW, g.FullH = roundUp(g.FitW, g.FitH, tile)
	if g.FullW > tile || g.FullH > tile {
		g.Rows, g.Cols = g.FullH/tile, g.FullW/tile
	}
	return g
}

// fit brings the longest edge to longest; the other is truncated, then made
// even, and is at least 1.
func fit(w, h, longest int) (int, int) {
	aspect := float64(w) / float64(h)
	if w >= h {
		w, h = longest, even(int(float64(longest)/aspect))
	} else {
		w, h = even(int(float64(longest)*aspect)), longest
	}
	return max(w, 1), max(h, 1)
}

func even(n int) int { return n + n%2 }

// roundUp makes both sides multiples of tile, the long side first.
func roundUp(w, h, tile int) (int, int) {
	up := func(n int) int { return int(math.Ceil(float64(n)/float64(tile))) * tile }
	aspect := float64(w) / float64(h)
	if w >= h {
		w = up(w)
		h = up(int(float64(w) / aspect))
	} else {
		h = up(h)
		w = up(int(float64(h) * aspect))
	}
	return w, h
}

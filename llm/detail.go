package llm

import (
	"fmt"
	"strconv"
)

// Detail says how finely a picture is cut into tiles: "low", "auto", "high" or
// a longest edge in pixels. More tiles show smaller things and cost one encode
// each. Models other than SmolVLM have no tiles: it is the longest edge that a
// picture is brought to, with a tile of lowEdge and a reference of highEdge;
// and nothing for those that take one size only.
type Detail string

const (
	// DetailLow is one frame: the whole picture in one tile.
	DetailLow Detail = "low"
	// DetailAuto never enlarges a picture and stays within half the longest
	// edge of the model's reference: 1024 pixels for the 256M and 500M models.
	DetailAuto Detail = "auto"
	// DetailHigh is the reference: every picture is brought to the model's
	// longest edge, small ones enlarged.
	DetailHigh Detail = "high"
)

// ParseDetail checks a detail given by a person.
func ParseDetail(s string) (Detail, error) {
	switch d := Detail(s); d {
	case DetailLow, DetailAuto, DetailHigh:
		return d, nil
	}
	if n, err := strconv.Atoi(s); err != nil || n < 1 || n > maxFit {
		return "", fmt.Errorf("detail %q is not low, auto, high or a number of pixels from 1 to %d", s, maxFit)
	}
	return Detail(s), nil
}

// longest is the longest edge in pixels that a width×height picture is brought
// to, for an encoder of the given tile and reference edge.
func (d Detail) longest(width, height, tile, reference int) int {
	if reference <= 0 {
		reference = tile
	}
	switch d {
	case DetailLow:
		return tile
	case DetailHigh:
		return reference
	case DetailAuto, "":
		return min(max(reference/2, tile), max(width, height))
	}
	n, err := strconv.Atoi(string(d))
	if err != nil {
		return tile
	}
	return min(n, reference)
}

// Largest is the longest edge in pixels that any picture is brought to: what a
// decoder must deliver at least, where the photo has as much.
func (d Detail) largest(tile, reference int) int {
	const huge = 1 << 20
	return d.longest(huge, huge, tile, reference)
}

package llm

import (
	"fmt"
	"strconv"
)

// Detail says how finely a picture is shown: "low", "auto", "high" or a longest edge
// in pixels. SmolVLM cuts a picture of that size into tiles; more tiles show smaller
// things, and each costs one encode. Other models encode the picture as one, at that
// size; families.Family has the edges of low and high. Detail changes nothing for
// models that take one size only.
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

// ParseDetail checks a detail as a person gives it; the error names the choices.
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

// largest is the longest edge in pixels that any picture is brought to. A decoder
// must not shrink a photo below it.
func (d Detail) largest(tile, reference int) int {
	const huge = 1 << 20
	return d.longest(huge, huge, tile, reference)
}

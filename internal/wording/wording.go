// Package wording holds what packages share for messages to people.
package wording

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/dustin/go-humanize"
)

// Count returns n with its noun: "1 photo", "1,200 photos", "2 batches".
func Count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "ch"):
		noun += "e"
	}
	return humanize.Comma(int64(n)) + " " + noun + "s"
}

// Nearest returns the element of names that differs least from name, "" if more
// than most characters must be changed to get from one to the other.
func Nearest(name string, names []string, most int) string {
	if len(names) == 0 {
		return ""
	}
	distance := func(other string) int { return levenshtein.ComputeDistance(name, other) }
	best := slices.MinFunc(names, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
	if distance(best) > most {
		return ""
	}
	return best
}

// LastLines returns the last n lines of s.
func LastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

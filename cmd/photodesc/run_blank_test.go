package main

import (
	"strings"
	"testing"
)

func TestBlankWatch(t *testing.T) {
	for _, c := range []struct {
		answers string // of the photos: x is blank
		warns   int    // after so many photos; 0: never
	}{
		{"", 0},
		{"xxxxxxxxxxxxxxxxxxx", 0}, // 19
		{strings.Repeat("x", 20), 20},
		{strings.Repeat(".", 16) + "xxxx", 0},
		{strings.Repeat(".", 15) + "xxxxx", 20},
		{"xxxxx" + strings.Repeat(".", 100), 20},
		{strings.Repeat(".", 20) + strings.Repeat("x", 100), 0},
	} {
		var w blankWatch
		warned := 0
		for i, answer := range c.answers {
			text := w.add(answer == 'x')
			if text == "" {
				continue
			}
			if warned > 0 {
				t.Errorf("%s: warned twice", c.answers)
			}
			if warned = i + 1; !strings.Contains(text, "of the first 20 photos") {
				t.Error(text)
			}
		}
		if warned != c.warns {
			t.Errorf("%s: warned after %d photos, want %d", c.answers, warned, c.warns)
		}
	}
}

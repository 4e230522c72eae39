package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestFolds logs the first lines of a kind, and then their number.
func TestFolds(t *testing.T) {
	var said []string
	f := folds{say: func(text string) { said = append(said, text) }}
	fail := func(path, why string) { f.add(warning{"photo", "failed", path, why, "Failed: " + path + ": " + why}) }
	for i := range 309 {
		fail(fmt.Sprintf("a/%d.jpg", i), "unreadable: the file is gone")
		if i%100 == 0 {
			fail(fmt.Sprintf("b/%d.jpg", i), fmt.Sprintf("timeout (tried %d times): no answer within %d s", i, i))
		}
		if i == 99 {
			f.flush()
		}
	}
	f.flush()
	f.flush()
	want := []string{
		"Failed: a/0.jpg: unreadable: the file is gone",
		"Failed: b/0.jpg: timeout (tried 0 times): no answer within 0 s",
		"Failed: a/1.jpg: unreadable: the file is gone",
		"Failed: a/2.jpg: unreadable: the file is gone",
		"97 more photos failed, as a/99.jpg: unreadable: the file is gone",
		"Failed: b/100.jpg: timeout (tried 100 times): no answer within 100 s",
		"Failed: b/200.jpg: timeout (tried 200 times): no answer within 200 s",
		"1 more photo failed, as b/300.jpg: timeout (tried 300 times): no answer within 300 s",
		"209 more photos failed, as a/308.jpg: unreadable: the file is gone",
	}
	slices.Sort(want)
	slices.Sort(said)
	if !slices.Equal(said, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
}

// TestFoldsBounded folds kinds without number into one.
func TestFoldsBounded(t *testing.T) {
	lines := 0
	f := folds{say: func(string) { lines++ }}
	for i := range 5000 {
		f.add(warning{"photo", "failed", "x", strings.Repeat("y", i), ""})
	}
	f.flush()
	if len(f.kinds) > maxFolds+1 || lines > maxFolds+foldAfter+1 {
		t.Errorf("%d kinds, %d lines", len(f.kinds), lines)
	}
}

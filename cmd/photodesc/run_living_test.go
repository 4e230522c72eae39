package main

import (
	"testing"

	"photodesc/tracker"
)

// Corrections that are made or taken back while photos get their new paths follow them.
func TestMoveLateCorrections(t *testing.T) {
	dir := t.TempDir()
	correct := func(path, words string) {
		t.Helper()
		if err := tracker.Correct(dir, tracker.Correction{Path: path, Description: words}); err != nil {
			t.Fatal(err)
		}
	}
	correct("a", "early")
	correct("b", "taken back")
	correct("c", "stays")
	before, err := tracker.ReadCorrections(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := &tracker.PhotoFile{Picture: "1"}
	moved := map[string]movedTo{}
	for _, path := range []string{"a", "b", "d", "e"} {
		moved[path] = movedTo{"new/" + path, file}
	}
	correct("new/a", "early") // as moveCorrections does
	correct("new/b", "taken back")
	correct("a", "late")
	correct("b", "")
	correct("d", "the first")
	if err := moveLateCorrections(dir, moved, before); err != nil {
		t.Fatal(err)
	}
	all, err := tracker.ReadCorrections(dir)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"new/a": "late", "new/b": "", "new/d": "the first", "new/e": "", "c": "stays"} {
		if c, _ := all.Of(path); c.Description != want {
			t.Errorf("%s: %q, want %q", path, c.Description, want)
		}
	}
}

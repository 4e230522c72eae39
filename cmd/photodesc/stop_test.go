package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"photodesc/internal/runs"
	"photodesc/tracker"
)

// TestStopElsewhere names the runs that are up in other folders, and no others.
func TestStopElsewhere(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	up, over := filepath.Join(home, "up here"), filepath.Join(home, "over")
	for _, dir := range []string{up, over} {
		tr, err := tracker.Open(dir, tracker.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if dir == up {
			defer tr.Close()
		} else {
			tr.Close()
		}
		if err := runs.Add(dir, filepath.Join(home, "photos"), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := saySomewhereElse(&b, time.Now()); err != nil {
		t.Fatal(err)
	}
	want := "No run is working here.\nRuns that are up elsewhere:\n    photodesc -C '" + up + "' stop    # photos of ~/photos\n"
	if got := b.String(); !strings.HasSuffix(got, want) || strings.Contains(got, over) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

package tracker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSidecars follows what status says of sidecars through exports, runs and corrections.
func TestSidecars(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, OutputsName), 0o700); err != nil {
		t.Fatal(err)
	}
	files := 0
	describe := func(paths ...string) {
		t.Helper()
		files++
		var lines strings.Builder
		for _, p := range paths {
			fmt.Fprintf(&lines, `{"path":%q,"status":"ok","description":"x"}`+"\n", p)
		}
		lines.WriteString(`{"path":"bad.jpg","status":"failed","description":""}` + "\n")
		name := fmt.Sprintf("image_analysis_20260101_%06d.jsonl", files)
		if err := os.WriteFile(filepath.Join(dir, OutputsName, name), []byte(lines.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	count := func() *SidecarCount {
		t.Helper()
		c, err := CountSidecars(dir)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	want := func(text string) {
		t.Helper()
		s, err := Peek(dir)
		if err != nil {
			t.Fatal(err)
		}
		got := "none"
		if s := s.Sidecars; s != nil {
			got = fmt.Sprintf("%d, %d out of date", s.UpToDate, s.OutOfDate)
			if s.More {
				got += " or more"
			}
		}
		if got != text {
			t.Errorf("%s, want %s", got, text)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	want("none")
	describe("a.jpg", "b.jpg")
	must(count().Removed(false, 1))
	want("none")
	must(count().Exported(false, 1, 0))
	want("1, 1 out of date")
	must(count().Exported(true, 1, 1))
	want("1, 1 out of date")
	c := count()
	describe("c.jpg") // while it is exported, and perhaps not seen by it
	must(c.Exported(true, 2, 0))
	want("2, 1 out of date")
	must(count().Exported(false, 1, 0)) // it may have been c.jpg or not
	want("2, 1 out of date")
	must(count().Exported(true, 3, 0))
	want("3, 0 out of date")

	// A photo counts once, however often it is described and corrected.
	describe("a.jpg", "b.jpg")
	describe("a.jpg")
	must(Correct(dir, Correction{Path: "a.jpg", Description: "Mine", Time: time.Now().Add(-time.Hour)})) // as a merge adds it
	want("3, 2 out of date")
	must(Correct(dir, Correction{Path: "c.jpg", Description: "Mine", Time: time.Now().Add(time.Hour)}))
	must(Correct(dir, Correction{Path: "c.jpg", Time: time.Now().Add(2 * time.Hour)}))
	want("3, 3 out of date")
	must(os.Remove(filepath.Join(dir, OutputsName, CorrectionsName)))

	// What a run covers is not out of date; what was before it still is.
	c = count()
	describe("d.jpg", "e.jpg")
	must(c.RunBegun())
	must(c.RunEnded(2, 2, 2))
	want("5, 3 out of date")
	must(count().Exported(true, 5, 0))
	c = count()
	describe("f.jpg", "g.jpg")
	must(c.RunEnded(2, 2, 1))
	want("6, 0 out of date")
	describe("f.jpg", "f.jpg")
	want("6, 1 out of date")
	must(count().Exported(true, 6, 0))
	c2 := count()
	c2.begun = c2.begun.Add(-time.Second)
	describe("h.jpg")
	must(count().Exported(true, 7, 0))
	must(c2.RunEnded(1, 1, 1)) // the export has counted it already
	describe("i.jpg")
	want("7, 1 out of date")

	must(count().Removed(false, 2))
	want("5, 3 out of date")

	// Removed while a run writes some.
	must(c2.RunBegun())
	must(count().Removed(true, 7))
	must(c2.RunEnded(2, 2, 2))
	want("none")

	// Not counted: more than a mebibyte, and outputs that are gone.
	many := make([]string, 30_000)
	for i := range many {
		many[i] = fmt.Sprintf("%d.jpg", i)
	}
	must(count().Exported(true, 7, 0))
	describe(many...)
	s, err := Peek(dir)
	if err != nil || !s.Sidecars.More || s.Sidecars.OutOfDate < 10_000 || s.Sidecars.OutOfDate >= 30_000 {
		t.Errorf("%+v, %v", s.Sidecars, err)
	}
	must(count().Exported(true, 30_000, 0))
	must(os.RemoveAll(filepath.Join(dir, OutputsName)))
	want("30000, 0 out of date or more")
	must(count().Removed(true, 30_000))
	want("none")
	must(os.WriteFile(sidecarsPath(dir), []byte("{\"time\":7"), 0o600))
	want("none")
}

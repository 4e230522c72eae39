package tracker

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFacts(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	old := func(path string) string {
		return strings.TrimSuffix(line(t, Record{Path: path, Status: OK, Description: "old", Time: at}), "\n")
	}
	dir := writeOutputs(t, []string{old("a"), old("b"), old("c\n"), failedLine("d", "broken")})
	missing := func(want ...string) map[string]Position {
		t.Helper()
		paths, positions, err := MissingFacts(dir)
		if err != nil || !slices.Equal(paths, want) {
			t.Errorf("%q, want %q, %v", paths, want, err)
		}
		return positions
	}
	missing("a", "b", "c\n")
	facts := []FileFacts{
		{Path: "a", ModTime: at.AddDate(-20, 0, 0), Taken: "2019-07-14T12:30:05", Camera: "Canon"},
		{Path: "b", ModTime: at.AddDate(100, 0, 0), Taken: "2019-07-14T12:30:05"}, // changed since it was described
		{Path: "c\n", ModTime: at.AddDate(-20, 0, 0)},
	}
	if err := AddFacts(dir, facts); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for p, err := range Photos(dir, Select{}) {
		if err != nil {
			t.Fatal(err)
		}
		got[p.Path] = p.Taken + p.Camera
	}
	if got["a"] != "2019-07-14T12:30:05Canon" || got["b"] != "" || got["c\n"] != "" {
		t.Errorf("%q", got)
	}
	positions := missing("b")
	if err := LookedThrough(dir, positions); err != nil {
		t.Fatal(err)
	}
	if positions := missing(); positions != nil {
		t.Error(positions)
	}
	write(t, old("e")+"\n", dir, OutputsName, "image_analysis_20991231_120000.jsonl")
	missing("e")
	// Other outputs than those that were looked through.
	write(t, old("f")+"\n", dir, OutputsName, "image_analysis_20991231_120000.jsonl")
	missing("f")
	// A record that says what the file is needs none.
	write(t, old("f")+"\n"+line(t, Record{Path: "f", Status: OK, Time: at, File: &PhotoFile{Hash: "1"}}), dir, OutputsName, "image_analysis_20991231_120000.jsonl")
	missing()
}

func FuzzFacts(f *testing.F) {
	f.Add([]byte(`{"path":"a","size":1,"mtime":"2026-01-01T00:00:00Z","taken":"2019-07-14T12:30:05+02:00","camera":"Canon"}`))
	f.Add([]byte(`{"positions":{"outputs/x":{"Offset":12,"Mark":"1"}}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		l, err := parseFacts(line)
		if err != nil || l.Positions != nil {
			return
		}
		if _, _, err := ParseTaken(l.Taken); l.Path == "" || l.Taken != "" && err != nil || len(l.Camera) > maxFact {
			t.Errorf("%+v", l)
		}
	})
}

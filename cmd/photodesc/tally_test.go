package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"photodesc/tracker"
)

// outputs returns all result lines.
func (h *harness) outputs() string {
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(h.work, tracker.OutputsName, "*.jsonl"))
	for _, f := range files {
		b, _ := os.ReadFile(f)
		all.Write(b)
	}
	return all.String()
}

// tally is what a workdir's files say.
type tally struct {
	ok, failed map[string]int // lines by path
	kinds      map[string]tracker.Kind
	progress   []string
	torn       int
}

func (h *harness) tally() tally {
	h.t.Helper()
	t := tally{ok: map[string]int{}, failed: map[string]int{}, kinds: map[string]tracker.Kind{}}
	files, _ := filepath.Glob(filepath.Join(h.work, tracker.OutputsName, "*.jsonl"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			h.t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			var rec tracker.Record
			if !strings.HasSuffix(line, "\n") || json.Unmarshal([]byte(line), &rec) != nil || rec.Path == "" {
				t.torn++
				continue
			}
			if rec.Path, err = tracker.DecodePath(rec.Path); err != nil {
				t.torn++
			}
			switch rec.Status {
			case tracker.OK:
				t.ok[rec.Path]++
			case tracker.Forgotten:
				delete(t.ok, rec.Path)
			default:
				t.failed[rec.Path]++
				t.kinds[rec.Path] = rec.Error.Kind
			}
		}
	}
	b, err := os.ReadFile(filepath.Join(h.work, tracker.ProgressName))
	if err != nil {
		h.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		path, err := tracker.DecodePath(strings.TrimSuffix(line, "\n"))
		if !strings.HasSuffix(line, "\n") || err != nil {
			t.torn++
		}
		t.progress = append(t.progress, path)
	}
	return t
}

// check expects an ok line for each photo in described, a failed line of the right
// kind for each in failing, and no line twice or torn.
func (t tally) check(tb testing.TB, described []string, failing map[string]tracker.Kind) {
	tb.Helper()
	if t.torn > 0 {
		tb.Errorf("%d torn lines", t.torn)
	}
	bad := 0
	complain := func(format string, args ...any) {
		if bad++; bad <= 10 {
			tb.Errorf(format, args...)
		}
	}
	for _, p := range described {
		if t.ok[p] != 1 || t.failed[p] != 0 {
			complain("%s: %d ok and %d failed lines (%s), want 1 and 0", p, t.ok[p], t.failed[p], t.kinds[p])
		}
	}
	for p, kind := range failing {
		if t.ok[p] != 0 || t.failed[p] != 1 || t.kinds[p] != kind {
			complain("%s: %d ok and %d failed lines (%s), want 0 and 1 (%s)", p, t.ok[p], t.failed[p], t.kinds[p], kind)
		}
	}
	if n := len(t.ok) + len(t.failed); n != len(described)+len(failing) {
		complain("lines for %d photos, want %d", n, len(described)+len(failing))
	}
	slices.Sort(t.progress)
	if want := slices.Sorted(maps.Keys(t.ok)); !slices.Equal(t.progress, want) {
		complain("%d progress lines for %d described photos, or not the same", len(t.progress), len(want))
	}
}

// lines returns the number of lines in the progress file.
func (h *harness) lines() int {
	b, _ := os.ReadFile(filepath.Join(h.work, tracker.ProgressName))
	return strings.Count(string(b), "\n")
}

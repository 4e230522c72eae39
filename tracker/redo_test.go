package tracker

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// with are the settings of a run with a model and a prompt.
func with(model, prompt string) Settings {
	return Settings{{Name: "model", Value: "sum of " + model, Shown: model}, {Name: "prompt", Value: prompt}}
}

// begin opens a workdir for a run with settings.
func begin(t testing.TB, dir string, s Settings, again, retry bool) *Tracker {
	t.Helper()
	tr := open(t, dir, Options{RetryFailed: retry})
	tr.Use(s, again)
	return tr
}

func wantCounts(t testing.TB, tr *Tracker, done, failed, retrying int) {
	t.Helper()
	if c := tr.Counts(); c.Done != done || c.Failed != failed || c.Retrying != retrying {
		t.Errorf("%+v, want %d done, %d failed, %d retrying", c, done, failed, retrying)
	}
}

func wantDone(t testing.TB, tr *Tracker, done, failed string) {
	t.Helper()
	for _, p := range []string{"a", "b", "c", "d"} {
		if _, f := tr.Failed(p); tr.Done(p) != strings.Contains(done, p) || f != strings.Contains(failed, p) {
			t.Errorf("%s: done %v, failed %v", p, tr.Done(p), f)
		}
	}
}

// The clock may be put back between two runs: the second is the newest all the
// same.
func TestClockPutBack(t *testing.T) {
	dir := t.TempDir()
	one, two := with("smolvlm", "What?"), with("smolvlm2", "What?")
	write(t, "", dir, OutputsName, "image_analysis_mine.jsonl") // no run's
	if err := os.Mkdir(filepath.Join(dir, OutputsName, "image_analysis_20251123_143023.jsonl"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i, at := range []time.Time{testTime, testTime.Add(-time.Hour), testTime.Add(-24 * time.Hour), testTime} {
		s := one
		if i%2 == 1 {
			s = two
		}
		tr := open(t, dir, Options{now: func() time.Time { return at }})
		tr.Use(s, true)
		if tr.Done("a") {
			t.Errorf("run %d: done before it was", i)
		}
		add(t, tr, okRecord("a"))
		closeTracker(t, tr)
		tr = open(t, dir, Options{now: func() time.Time { return at }})
		if c := tr.Changed(s); c.Photos != 0 {
			t.Errorf("run %d: the newest line does not count: %+v", i, c.From)
		}
		closeTracker(t, tr)
	}
	files, err := outputFiles(dir)
	if err != nil || len(files) != 5 || filepath.Base(files[3]) != "image_analysis_20251123_143026.jsonl" {
		t.Error(files, err)
	}
}

// TestDescribeAgain follows a workdir through a change of settings that is
// stopped in the middle, with a photo that fails the second time.
func TestDescribeAgain(t *testing.T) {
	dir := t.TempDir()
	one, two := with("smolvlm", "What?"), with("smolvlm2", "What?")
	tr := begin(t, dir, one, false, false)
	add(t, tr, okRecord("a"), okRecord("b"), okRecord("c"))
	closeTracker(t, tr)

	// Asked before anything is done: what changed, and of how many photos.
	tr = open(t, dir, Options{})
	if c := tr.Changed(one); c.Photos != 0 || len(c.From) != 0 {
		t.Errorf("%+v", c)
	}
	c := tr.Changed(two)
	if c.Photos != 3 || len(c.From) != 1 || c.From[0].Photos != 3 {
		t.Fatalf("%+v", c)
	}
	if d := two.Differences(c.From[0].Settings); !slices.Equal(d, []Difference{{"model", "smolvlm", "smolvlm2"}}) {
		t.Errorf("%+v", d)
	}
	// Left as they are, they are done.
	tr.Use(two, false)
	wantDone(t, tr, "abc", "")
	wantCounts(t, tr, 3, 0, 0)
	if err := tr.Add(okRecord("a")); err == nil {
		t.Error("described again without being asked")
	}
	closeTracker(t, tr)

	tr = begin(t, dir, two, true, false)
	wantDone(t, tr, "", "")
	wantCounts(t, tr, 0, 0, 0)
	add(t, tr, okRecord("a"), okRecord("d"))
	wantDone(t, tr, "ad", "")
	wantCounts(t, tr, 2, 0, 0)
	if s, err := Peek(dir); err != nil || s.Completed < 0 || s.Completed > 4 {
		t.Errorf("%+v, %v", s, err)
	}
	closeTracker(t, tr)

	tr = begin(t, dir, two, true, false) // it goes on with what is left
	wantDone(t, tr, "ad", "")
	wantCounts(t, tr, 2, 0, 0)
	add(t, tr, failedRecord("b", Timeout), okRecord("c"))
	wantDone(t, tr, "acd", "b")
	wantCounts(t, tr, 3, 1, 0)
	closeTracker(t, tr)
	if s, err := Peek(dir); err != nil || s.Completed != 3 || s.Failed != 1 {
		t.Errorf("%+v, %v", s, err)
	}

	// The newest line counts: b failed with these settings.
	tr = open(t, dir, Options{})
	if c := tr.Changed(two); c.Photos != 0 {
		t.Errorf("%+v", c)
	}
	tr.Use(two, false)
	wantDone(t, tr, "acd", "b")
	wantCounts(t, tr, 3, 1, 0)
	closeTracker(t, tr)
	s, err := Summarize(dir)
	if err != nil || s.OK != 3 || s.Failed != 1 || s.Tokens.Count != 3 {
		t.Errorf("%+v, %v", s, err)
	}
	if list, err := ListFailed(dir); err != nil || len(list) != 1 || list[0].Path != "b" {
		t.Errorf("%+v, %v", list, err)
	}
	// With the settings of old it is described, and the others are not.
	tr = begin(t, dir, one, true, false)
	wantDone(t, tr, "b", "")
	closeTracker(t, tr)

	tr = begin(t, dir, two, false, true)
	wantCounts(t, tr, 3, 0, 1)
	add(t, tr, okRecord("b"))
	wantDone(t, tr, "abcd", "")
	wantCounts(t, tr, 4, 0, 0)
	closeTracker(t, tr)
	if got := checkFiles(t, dir); len(got) != 4 || strings.Count(string(read(t, dir, ProgressName)), "\n") != 4 {
		t.Errorf("%q", read(t, dir, ProgressName))
	}
	files, _ := filepath.Glob(filepath.Join(dir, OutputsName, "settings_*.json"))
	if len(files) != 2 {
		t.Error(files)
	}
}

// TestFiguresOfTheNewest has a photo's second description counted, not its first.
func TestFiguresOfTheNewest(t *testing.T) {
	dir := t.TempDir()
	for i, model := range []string{"first", "second"} {
		tr := begin(t, dir, with(model, "?"), true, false)
		for _, p := range []string{"a", "b", "c"} {
			r := okRecord(p)
			r.Model, r.Tokens, r.Finish = model, 10*(i+1), FinishLength
			add(t, tr, r)
			if p == "b" && i == 1 {
				break
			}
		}
		closeTracker(t, tr)
	}
	s, err := Summarize(dir)
	if err != nil || s.OK != 3 || s.Models["first"] != 1 || s.Models["second"] != 2 || s.Tokens.Mean != 16.667 || s.Finish[FinishLength] != 3 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestNotKnown are results that do not say with what settings they were made.
func TestNotKnown(t *testing.T) {
	without := okRecord("a")
	without.Settings = ""
	spaced := `{ "status": "ok", "path": "b", "model": "smolvlm" }` + "\n"
	gone := okRecord("c")
	gone.Settings = "fedcba987654" // there is no such file
	dir := t.TempDir()
	write(t, line(t, without)+spaced+line(t, gone), dir, OutputsName, outputName(testTime))
	write(t, "d\n", dir, ProgressName) // its result is gone

	tr := open(t, dir, Options{})
	c := tr.Changed(with("smolvlm2", "?"))
	if c.Photos != 1 || len(c.From) != 1 || c.From[0].Settings != nil || !c.Has("c") || c.Has("a") {
		t.Fatalf("%+v", c)
	}
	tr.Use(with("smolvlm2", "?"), true)
	wantDone(t, tr, "a b d", "")
	wantCounts(t, tr, 3, 0, 0)
}

// TestModelNotHereYet compares by name what has no digest yet.
func TestModelNotHereYet(t *testing.T) {
	dir := t.TempDir()
	tr := begin(t, dir, with("smolvlm", "?"), false, false)
	add(t, tr, okRecord("a"))
	closeTracker(t, tr)
	tr = open(t, dir, Options{})
	coming := func(model, prompt string) Settings {
		return Settings{{Name: "model", Shown: model, Unknown: true}, {Name: "prompt", Value: prompt}}
	}
	for _, x := range []struct {
		s    Settings
		want int
	}{{coming("smolvlm", "?"), 0}, {coming("smolvlm2", "?"), 1}, {coming("smolvlm", "!"), 1}} {
		if c := tr.Changed(x.s); c.Photos != x.want {
			t.Errorf("%v: %+v", x.s, c)
		}
	}
}

func TestSettings(t *testing.T) {
	a := Settings{{Name: "model", Value: "0123456789abcdef", Shown: "smolvlm"}, {Name: "prompt", Value: "x"}}
	b := Settings{{Name: "prompt", Value: "x"}, {Name: "model", Value: "0123456789abcdef", Shown: "other name"}}
	if a.ID() != b.ID() || len(a.Differences(b)) != 0 {
		t.Error("order and names count")
	}
	c := Settings{{Name: "model", Value: "fedcba9876543210", Shown: "smolvlm"}, {Name: "detail", Value: "high"}}
	want := []Difference{
		{"model", "smolvlm (0123456789ab)", "smolvlm (fedcba987654)"}, {"detail", "", "high"}, {"prompt", "x", ""},
	}
	if d := c.Differences(a); c.ID() == a.ID() || !slices.Equal(d, want) {
		t.Errorf("%+v", d)
	}
	if (Settings{{Name: "a b", Value: "c"}}).ID() == (Settings{{Name: "a", Value: "b c"}}).ID() {
		t.Error("names and values run into each other")
	}
	dir := t.TempDir()
	os.Mkdir(filepath.Join(dir, OutputsName), 0o755)
	if err := a.save(osFS{}, dir); err != nil {
		t.Fatal(err)
	}
	if back, err := readSettings(dir, a.ID()); err != nil || !slices.Equal(back, a) {
		t.Errorf("%+v, %v", back, err)
	}
	path := settingsPath(dir, a.ID())
	write(t, strings.Replace(string(read(t, path)), `"x"`, `"y"`, 1), path)
	if _, err := readSettings(dir, a.ID()); err == nil {
		t.Error("a changed file was believed")
	}
	if err := a.save(osFS{}, dir); err != nil { // and is mended
		t.Fatal(err)
	}
	if _, err := readSettings(dir, a.ID()); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"", "../outputs/x", "0123456789AB", "0123456789abc"} {
		if _, err := readSettings(dir, id); err == nil {
			t.Errorf("%q was read", id)
		}
	}
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"id":"0123456789ab","settings":[{"name":"a","value":"b"}]}`), "0123456789ab")
	f.Fuzz(func(t *testing.T, data []byte, id string) {
		if s, err := parseSettings(data, id); err == nil && s.ID() != id {
			t.Fatalf("%q is %s, not %s", data, s.ID(), id)
		}
	})
}

// TestRandomChanges changes settings, stops, fails and retries at random, and
// keeps book of what each photo's newest line is.
func TestRandomChanges(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const photos, runs = 30, 60
	dir := memDir(t)
	newest := map[string]string{} // path: model, with "!" when it failed
	described := map[string]string{}
	clock := testTime
	for run := range runs {
		model := fmt.Sprint("model", rnd.IntN(3))
		again, retry := rnd.IntN(2) == 0, rnd.IntN(3) == 0
		clock = clock.Add(time.Minute)
		tr := open(t, dir, Options{RetryFailed: retry, now: func() time.Time { return clock }})
		tr.Use(with(model, "?"), again)
		left := 1 + rnd.IntN(photos)
		done, failed := 0, 0
		for i := range photos {
			path := fmt.Sprint(i)
			last, was := newest[path], described[path]
			wantFailed := !retry && (last == model+"!" && was != model || was == "" && last != "")
			wantDone := was != "" && (was == model || !again && last != model+"!")
			if got := tr.Done(path); got != wantDone {
				t.Fatalf("run %d with %s, again %v, retry %v: %s (%s, described by %q) done: %v", run, model, again, retry, path, last, was, got)
			}
			if _, got := tr.Failed(path); got != wantFailed {
				t.Fatalf("run %d with %s, again %v, retry %v: %s (%s, described by %q) failed: %v", run, model, again, retry, path, last, was, got)
			}
			if wantDone {
				done++
			}
			if wantFailed {
				failed++
			}
		}
		wantCounts(t, tr, done, failed, tr.Counts().Retrying)
		for i := range photos {
			path := fmt.Sprint(i)
			if _, f := tr.Failed(path); tr.Done(path) || f || left == 0 {
				continue
			}
			left--
			if rnd.IntN(4) == 0 {
				add(t, tr, failedRecord(path, Crash))
				newest[path] = model + "!"
				failed++
			} else {
				add(t, tr, okRecord(path))
				newest[path], described[path] = model, model
				done++
			}
		}
		wantCounts(t, tr, done, failed, tr.Counts().Retrying)
		closeTracker(t, tr)
		if t.Failed() {
			t.FailNow()
		}
	}
	if got := checkFiles(t, dir); len(got) != len(described) {
		t.Errorf("%d lines for %d photos", len(got), len(described))
	}
	s, err := Summarize(dir)
	good := 0
	for _, last := range newest {
		if !strings.HasSuffix(last, "!") {
			good++
		}
	}
	if err != nil || s.OK != good || s.Failed != photos-good {
		t.Errorf("%d ok, %d failed, want %d of %d; %v", s.OK, s.Failed, good, photos, err)
	}
}

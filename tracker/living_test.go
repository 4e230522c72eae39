package tracker

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func fileRecord(path string, size int64, at time.Time) Record {
	r := okRecord(path)
	r.File = &PhotoFile{Size: size, ModTime: at.UTC(), Head: "h" + path, Picture: "p" + path}
	return r
}

func openIn(t *testing.T, dir string) *Tracker {
	t.Helper()
	tr, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func shownPaths(t *testing.T, dir string) string {
	t.Helper()
	var list []string
	for p, err := range Photos(dir, Select{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p.Path+":"+string(p.Status))
	}
	return fmt.Sprint(list)
}

// TestLiving moves, changes and forgets photos, and wants the same after every file was read again.
func TestLiving(t *testing.T) {
	dir := t.TempDir()
	at := time.Unix(1_700_000_000, 123_456_789)
	tr := openIn(t, dir)
	for i, path := range []string{"a", "b", "c", "\xff\n\""} {
		if err := tr.Add(fileRecord(path, int64(i+10), at)); err != nil {
			t.Fatal(err)
		}
	}
	failed := Record{Path: "f", Status: Failed, Error: &RecordError{Kind: Unreadable}, File: &PhotoFile{Size: 3, ModTime: at}}
	if err := tr.Add(failed); err != nil {
		t.Fatal(err)
	}
	old := Record{Path: "g", Status: Failed, Error: &RecordError{Kind: Unreadable}, Time: at}
	if err := tr.Add(old); err != nil {
		t.Fatal(err)
	}
	check := func(what string, done int, shown string) {
		t.Helper()
		for range 2 {
			if c := tr.Counts(); c.Done != done {
				t.Errorf("%s: %d are done, not %d", what, c.Done, done)
			}
			if got := shownPaths(t, dir); got != shown {
				t.Errorf("%s: %s, not %s", what, got, shown)
			}
			sum, err := Summarize(dir)
			if err != nil || sum.OK != done {
				t.Errorf("%s: the summary has %d (%v), not %d", what, sum.OK, err, done)
			}
			if err := tr.Close(); err != nil {
				t.Fatal(err)
			}
			tr = openIn(t, dir)
		}
	}
	now := func(size int64, at time.Time) PhotoFile { return PhotoFile{Size: size, ModTime: at} }
	unchanged := func(when string) {
		t.Helper()
		for _, c := range []struct {
			path    string
			file    PhotoFile
			changed bool
		}{
			{"a", now(10, at), false}, {"a", now(11, at), true}, {"a", now(10, at.Add(1)), true}, {"nobody", now(1, at), false},
			{"\xff\n\"", now(13, at), false}, {"\xff\n\"", now(13, at.Add(1)), true},
		} {
			if got := tr.Files().FileChanged(c.path, c.file); got != c.changed {
				t.Errorf("%s: %q with %v changed: %t", when, c.path, c.file, got)
			}
		}
		for _, c := range []struct {
			path    string
			file    PhotoFile
			changed bool
		}{
			{"f", now(3, at), false}, {"f", now(4, at), true}, {"f", now(3, at.Add(-time.Hour)), true},
			{"g", now(3, at), false}, {"g", now(3, at.Add(time.Second)), true}, {"a", now(3, at), false},
		} {
			if got := tr.Files().FailedFileChanged(c.path, c.file); got != c.changed {
				t.Errorf("%s: failed %q with %v changed: %t", when, c.path, c.file, got)
			}
		}
	}
	unchanged("in this run")
	check("described", 4, `[a:ok b:ok c:ok `+"\xff\n\""+`:ok f:failed g:failed]`)
	unchanged("read again")

	tr.Files().Seen("b")
	if n, has := tr.Files().Unseen(); n != 3 || !has("a") || has("b") || has("f") {
		t.Errorf("%d are not seen", n)
	}
	// Two swap their names, one keeps its file's new time.
	a, c := fileRecord("a", 10, at), fileRecord("c", 12, at)
	if err := tr.Files().Move([]Moved{{a, "d", a.File}, {c, "e\n", c.File}}); err != nil {
		t.Fatal(err)
	}
	check("moved", 4, `[b:ok `+"\xff\n\""+`:ok f:failed g:failed d:ok e`+"\n"+`:ok]`)
	if tr.Done("a") || !tr.Done("d") || tr.Files().FileChanged("d", now(10, at)) || !tr.Files().FileChanged("d", now(9, at)) {
		t.Error("the moved photo is not where it is")
	}
	if err := tr.Add(fileRecord("a", 20, at)); err != nil {
		t.Errorf("another photo in the old place: %v", err)
	}
	if err := tr.Files().Move([]Moved{{a, "b", a.File}}); err != nil || !tr.Done("a") {
		t.Errorf("moved onto a described photo: %v", err)
	}
	again := fileRecord("b", 11, at)
	again.File.ModTime = at.Add(time.Hour)
	if err := tr.Files().Refresh([]Record{again}); err != nil {
		t.Fatal(err)
	}
	check("refreshed", 5, `[`+"\xff\n\""+`:ok f:failed g:failed d:ok e`+"\n"+`:ok a:ok b:ok]`)
	if tr.Files().FileChanged("b", now(11, at.Add(time.Hour))) || !tr.Files().FileChanged("b", now(11, at)) {
		t.Error("the new file is not known")
	}
	if err := tr.Files().Forget([]string{"b", "nobody", "f"}); err != nil {
		t.Fatal(err)
	}
	check("forgotten", 4, `[`+"\xff\n\""+`:ok g:failed d:ok e`+"\n"+`:ok a:ok]`)
	failed.Path = "b"
	if err := tr.Add(failed); err != nil {
		t.Fatal(err)
	}
	check("failed with another picture", 4, `[`+"\xff\n\""+`:ok g:failed d:ok e`+"\n"+`:ok a:ok b:failed]`)
	tr.Files().Retry("b")
	if _, failed := tr.Failed("b"); failed || tr.Done("b") {
		t.Error("it is not tried again")
	}
	if err := tr.Add(fileRecord("b", 11, at)); err != nil {
		t.Fatal(err)
	}
	check("described again", 5, `[`+"\xff\n\""+`:ok g:failed d:ok e`+"\n"+`:ok a:ok b:ok]`)
	progress, err := os.ReadFile(filepath.Join(dir, ProgressName))
	if want := "a\nb\nc\n\"\\xff\\n\\\"\"\nd\n\"e\\n\"\n"; err != nil || string(progress) != want {
		t.Errorf("progress %q, not %q (%v)", progress, want, err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestMoveKilled cuts the outputs and the progress file of a move off after every byte: each photo is described under one path or
// two, never none, and moving again leaves one.
func TestMoveKilled(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	before, after := t.TempDir(), t.TempDir()
	tr := openIn(t, before)
	rec := fileRecord("old", 10, at)
	if err := tr.Add(rec); err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(after, os.DirFS(before)); err != nil {
		t.Fatal(err)
	}
	tr = openIn(t, after)
	moves := []Moved{{rec, "new", rec.File}}
	if err := tr.Files().Move(moves); err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	outputs, _ := outputFiles(after)
	moved := outputs[len(outputs)-1]
	lines, err := os.ReadFile(moved)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n <= len(lines); n += 7 {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(before)); err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel(after, moved)
		if err := os.WriteFile(filepath.Join(dir, name), lines[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		tr := openIn(t, dir)
		if !tr.Done("old") && !tr.Done("new") {
			t.Errorf("killed after %d bytes: the words are lost", n)
		}
		if tr.Done("old") && tr.Done("new") {
			t.Errorf("killed after %d bytes: the photo counts twice", n)
		}
		if err := tr.Files().Move(moves); err != nil || !tr.Done("new") {
			t.Errorf("killed after %d bytes, moved again: %v", n, err)
		}
		if err := tr.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLineStamp compares the quick reading of a file's size and time with the whole reading.
func TestLineStamp(t *testing.T) {
	at := time.Unix(1_700_000_000, 5).UTC()
	r := fileRecord("a", 7, at)
	r.Description = `,"file":{"size":9,"mtime":"2020-01-01T00:00:00Z"}`
	r.Answers = map[string]RecordAnswer{"file": {Prompt: r.Description, Text: r.Description}}
	line, err := r.Line()
	if err != nil {
		t.Fatal(err)
	}
	if got := lineStamp(line); got != stampOf(r.File) || got == 0 {
		t.Errorf("%x, not %x", got, stampOf(r.File))
	}
	r.File = nil
	line, _ = r.Line()
	if got := lineStamp(line); got != 0 {
		t.Errorf("%x of a line without a file", got)
	}
}

func BenchmarkMove100k(b *testing.B) {
	at := time.Unix(1_700_000_000, 0)
	for b.Loop() {
		tr, err := Open(b.TempDir(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		var records []Record
		var moves []Moved
		for i := range 100_000 {
			r := fileRecord(fmt.Sprintf("album/IMG_%06d.jpg", i), int64(i), at)
			records = append(records, r)
			moves = append(moves, Moved{r, "new/" + r.Path, r.File})
		}
		if err := tr.AddBatch(records); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if err := tr.Files().Move(moves); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/100k-moves")
		if err := tr.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

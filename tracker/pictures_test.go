package tracker

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func pictured(path, picture string) Record {
	r := okRecord(path)
	r.File = &PhotoFile{Size: int64(picture[0]), ModTime: testTime, Head: "00", Picture: fmt.Sprintf("%032s", picture)}
	return r
}

// A picture is found only while the line that has it counts: of the run's settings, in the same context, not forgotten and not
// described again.
func TestPictures(t *testing.T) {
	dir := t.TempDir()
	one, two := with("smolvlm", "What?"), with("smolvlm2", "What?")
	tr := begin(t, dir, one, false, false)
	told := pictured("told", "5")
	told.Context = "in \"caf\u00e9\"\n"
	add(t, tr, pictured("a", "1"), pictured("odd\"\xff\n", "2"), pictured("gone", "3"), pictured("again", "4"), told)
	closeTracker(t, tr)

	tr = begin(t, dir, one, false, false)
	if err := tr.Files().Forget([]string{"gone"}); err != nil {
		t.Fatal(err)
	}
	p := tr.Pictures()
	want := func(p *Pictures, picture, context, path string) {
		t.Helper()
		r, ok := p.Find(fmt.Sprintf("%032s", picture), context)
		if ok != (path != "") || r.Path != path {
			t.Errorf("picture %s in context %q: %q, want %q", picture, context, r.Path, path)
		}
	}
	want(p, "1", "", "a")
	want(p, "2", "", "odd\"\xff\n")
	want(p, "3", "", "")
	want(p, "5", "", "")
	want(p, "5", told.Context, "told")
	want(p, "5", "cafe", "")
	want(p, "9", "", "")
	if _, ok := p.Find("", ""); ok {
		t.Error("no picture was found")
	}
	// What this run writes is found at once, also beyond what is kept apart.
	again := told
	again.Path, again.Context = "told-otherwise", "in a tent"
	add(t, tr, pictured("new", "6"), again)
	want(p, "5", told.Context, "told")
	want(p, "5", "in a tent", "told-otherwise")
	want(p, "6", "", "new")
	if err := tr.Files().Forget([]string{"again"}); err != nil {
		t.Fatal(err)
	}
	want(p, "4", "", "")
	add(t, tr, pictured("again", "7"))
	want(p, "4", "", "")
	want(p, "7", "", "again")
	copied := pictured("copy", "7")
	of, _ := p.Find(copied.File.Picture, "")
	copied.Share(&of)
	add(t, tr, copied)
	if c := tr.Counts(); c.Shared != 1 || c.NewShare != 1 || c.NewDone != 3 {
		t.Errorf("%+v", c)
	}
	closeTracker(t, tr)

	tr = begin(t, dir, one, false, false)
	if c := tr.Counts(); c.Shared != 1 {
		t.Errorf("%+v", c)
	}
	if err := tr.Files().Move([]Moved{{Record: copied, Path: "elsewhere", File: copied.File}}); err != nil {
		t.Fatal(err)
	}
	if c := tr.Counts(); c.Shared != 1 {
		t.Errorf("a moved duplicate: %+v", c)
	}
	closeTracker(t, tr)
	tr = begin(t, dir, two, true, false)
	want(tr.Pictures(), "1", "", "")
	if c := tr.Counts(); c.Shared != 0 {
		t.Errorf("with other settings: %+v", c)
	}
	closeTracker(t, tr)
	if s, err := Summarize(dir); err != nil || s.Duplicates != 1 || s.OK-s.Duplicates != 6 {
		t.Errorf("%d of %d, %v", s.Duplicates, s.OK, err)
	}
}

// A photo is found all the time while the line of its duplicate is written.
func TestPicturesWhileWriting(t *testing.T) {
	dir, disk := t.TempDir(), &faultFS{}
	tr := open(t, dir, Options{fs: disk})
	tr.Use(with("smolvlm", "What?"), false)
	p := tr.Pictures()
	original := pictured("a", "1")
	add(t, tr, original)
	asked := 0
	disk.fault = func(string, string) (int, error) {
		asked++
		if r, ok := p.Find(original.File.Picture, ""); !ok || r.Path != "a" {
			t.Errorf("%q is found, %v", r.Path, ok)
		}
		return 0, nil
	}
	of, _ := p.Find(original.File.Picture, "")
	copied := pictured("b", "1")
	copied.Share(&of)
	add(t, tr, copied)
	disk.fault = nil
	if asked < 4 {
		t.Errorf("only %d steps were seen", asked)
	}
}

// BenchmarkPictures measures how long the pictures of a large workdir are read, and what the index takes in memory.
func BenchmarkPictures(b *testing.B) {
	n := million()
	dir := b.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, OutputsName), 0o755); err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, OutputsName, outputName(testTime)))
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	id := with("smolvlm", "What?").ID()
	var buf []byte
	for i := range n {
		r := pictured(millionPath(i), fmt.Sprintf("%08x%024d", uint32(i)*2654435761, i))
		r.Settings, r.File.Hash = id, r.File.Picture
		buf, _ = r.appendLine(buf[:0])
		w.Write(buf)
	}
	w.Flush()
	f.Close()
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		t := &Tracker{dir: dir}
		t.id = id
		began := time.Now()
		p := t.Pictures()
		<-p.ready
		b.ReportMetric(time.Since(began).Seconds(), "s")
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/photo")
		runtime.KeepAlive(p)
	}
}

package tracker

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAddAndResume(t *testing.T) {
	dir := t.TempDir()
	paths := []string{"a.jpg", "sub dir/ü.jpg", "new\nline.jpg", "\xff\xfe.jpg", `"q".jpg`}
	tr := open(t, dir, Options{Root: "/photos", now: fixedTime})
	if tr.OutputPath() != "" {
		t.Error("output created before the first record")
	}
	for _, p := range paths {
		add(t, tr, okRecord(p))
	}
	add(t, tr, failedRecord("bad.jpg", Unreadable), failedRecord("bad2.jpg", Crash))
	if c := tr.Counts(); c != (Counts{Done: 5, Failed: 2, NewDone: 5, NewFail: 2}) {
		t.Errorf("%+v", c)
	}
	closeTracker(t, tr)
	if err := tr.Add(okRecord("late")); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	closeTracker(t, tr)

	tr = open(t, dir, Options{Root: "/photos", now: fixedTime})
	for _, p := range paths {
		if !tr.Done(p) {
			t.Errorf("%q not done", p)
		}
		if err := tr.Add(okRecord(p)); !errors.Is(err, ErrDone) {
			t.Errorf("%q: %v", p, err)
		}
		if err := tr.Add(failedRecord(p, Crash)); !errors.Is(err, ErrDone) {
			t.Errorf("%q: %v", p, err)
		}
	}
	f, failed := tr.Failed("bad.jpg")
	if !failed || f.Kind != Unreadable || f.Attempts != 2 || f.Message == "" || tr.Done("bad.jpg") {
		t.Errorf("%+v, %v", f, failed)
	}
	if tr.Done("other") || len(tr.Notes()) > 0 {
		t.Error(notes(tr))
	}
	add(t, tr, okRecord("z.jpg")) // in the same second: a file of its own
	if got := filepath.Base(tr.OutputPath()); got != "image_analysis_20251123_143023.jsonl" {
		t.Error(got)
	}
	closeTracker(t, tr)
	checkFiles(t, dir)
}

func TestBatchRefusesSomeAndWritesOthers(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{})
	err := tr.AddBatch([]Record{okRecord("a"), okRecord("a"), {Path: "b"}, failedRecord("c", Model), okRecord("c")})
	if !errors.Is(err, ErrDone) || !strings.Contains(err.Error(), `"b" has status`) {
		t.Error(err)
	}
	if c := tr.Counts(); c.Done != 2 || c.Failed != 0 {
		t.Errorf("%+v", c)
	}
	closeTracker(t, tr)
	if got := checkFiles(t, dir); len(got) != 2 {
		t.Error(got)
	}
}

func TestRetryFailed(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{})
	add(t, tr, failedRecord("a", Crash), failedRecord("b", Timeout), failedRecord("c", Memory))
	closeTracker(t, tr)

	tr = open(t, dir, Options{RetryFailed: true})
	if _, failed := tr.Failed("a"); failed {
		t.Error("still failed")
	}
	add(t, tr, okRecord("a"), failedRecord("b", Model))
	if c := tr.Counts(); c != (Counts{Done: 1, Failed: 1, Retrying: 1, NewDone: 1, NewFail: 1}) {
		t.Errorf("%+v", c)
	}
	if s, _ := Peek(dir); !s.Running {
		t.Error("not running")
	}
	closeTracker(t, tr)
	if s, _ := Peek(dir); s.Completed != 1 || s.Failed != 2 {
		t.Errorf("%+v", s)
	}

	tr = open(t, dir, Options{})
	if f, failed := tr.Failed("b"); !failed || f.Kind != Model {
		t.Errorf("the newest line counts, got %+v", f)
	}
	if _, failed := tr.Failed("a"); failed || !tr.Done("a") {
		t.Error("a was described")
	}
	if c := tr.Counts(); c.Failed != 2 {
		t.Errorf("%+v", c)
	}
}

// TestReconcile opens workdirs that were left in every odd state.
func TestReconcile(t *testing.T) {
	a, b, c := line(t, okRecord("a")), line(t, okRecord("b")), line(t, failedRecord("c", Crash))
	for _, x := range []struct {
		name, progress, output string
		done, failed           string
		notes                  []string
	}{
		{"nothing", "", "", "", "", nil},
		{"all well", "a\nb\n", a + b + c, "ab", "c", nil},
		{"result without progress", "a\n", a + b, "ab", "", []string{"1 described but without a progress line"}},
		{"no progress at all", "", a + b, "ab", "", []string{"2 described"}},
		{"outputs deleted", "a\nb\n", "", "ab", "", []string{"2 described but without a result line"}},
		{"torn progress", "a\nb", a, "a", "", []string{ProgressName + ":2: torn last line cut off"}},
		{"torn progress of a known photo", "a\nb", a + b, "ab", "", []string{":2: torn", "1 described"}},
		{"torn result", "a\n", a + b[:40], "a", "", []string{"jsonl:2: torn last line cut off"}},
		{"result without newline", "a\n", a + b[:len(b)-1], "ab", "", []string{"1 described"}},
		{"zeros at the end", "a\n\x00\x00\x00", a + "\x00\x00\x00\x00", "a", "", []string{"txt:2: torn", "jsonl:2: torn"}},
		{"zeros in the middle", "a\n\x00\x00\nb\n", a + "\x00\x00\n" + b, "ab", "", []string{"txt:2: damaged", "jsonl:2: damaged"}},
		{"bad JSON in the middle", "a\nb\n", a + `{"path":"x","status":"ok","model":}` + "\n" + b, "ab", "", []string{"jsonl:2: damaged"}},
		{"damaged result of a done photo", "a\nb\n", a[:50] + "\x01" + a[51:] + b, "ab", "", []string{"jsonl:1: damaged", "1 described but without a result line"}},
		{"damaged progress of a described photo", "\x01\nb\n", a + b, "ab", "", []string{"txt:1: damaged", "1 described"}},
		{"carriage returns", "a\r\nb\r\n", strings.ReplaceAll(a+b+c, "\n", "\r\n"), "ab", "c", nil},
		{"byte order marks", "\ufeffa\nb\n", "\ufeff" + a + b, "ab", "", nil},
		{"blank lines", "\na\n\n\nb\n", "\n" + a + "\n" + b, "ab", "", nil},
		{"doubles", "a\na\nb\n", a + a + b, "ab", "", []string{"1 lines stand there twice", "1 photos have a second ok line"}},
		{"failed, then ok", "c\n", c + line(t, okRecord("c")), "c", "", nil},
		{"failed, then ok, no progress", "", c + line(t, okRecord("c")), "c", "", []string{"1 described"}},
		{"ok, then failed", "", line(t, okRecord("c")) + c, "c", "", []string{"1 described"}},
		{"spaces and other order", "a\n", `{ "status": "ok", "path": "a", "new field": [1] }` + "\n", "a", "", nil},
		{"very long line", "a\n" + strings.Repeat("x", maxLine+3*blockSize) + "\x00\nb\n", a + b, "ab", "", []string{"txt:2: damaged line passed over: line too long"}},
		{"very long torn line", "a\n" + strings.Repeat("x", maxLine+3*blockSize), a, "a", "", []string{"txt:2: torn"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			dir := memDir(t)
			if x.progress != "" {
				write(t, x.progress, dir, ProgressName)
			}
			if x.output != "" {
				write(t, x.output, dir, OutputsName, outputName(testTime))
			}
			tr := open(t, dir, Options{})
			for _, p := range []string{"a", "b", "c", "x"} {
				_, failed := tr.Failed(p)
				if tr.Done(p) != strings.Contains(x.done, p) || failed != strings.Contains(x.failed, p) {
					t.Errorf("%s: done %v, failed %v", p, tr.Done(p), failed)
				}
			}
			if c := tr.Counts(); c.Done != len(x.done) || c.Failed != len(x.failed) {
				t.Errorf("%+v", c)
			}
			if len(tr.Notes()) != len(x.notes) {
				t.Errorf("notes: %s", notes(tr))
			}
			for _, want := range x.notes {
				if !strings.Contains(notes(tr), want) {
					t.Errorf("no note %q in %s", want, notes(tr))
				}
			}
			counts := tr.Counts()
			closeTracker(t, tr)
			again := open(t, dir, Options{})
			if c := again.Counts(); c != counts {
				t.Errorf("opened again: %+v, %s", c, notes(again))
			}
			if got := notes(again); strings.Contains(got, "torn") || strings.Contains(got, "no progress line") {
				t.Errorf("not mended: %s", got)
			}
		})
	}
}

// smallWorkdir is a workdir with a few of everything.
func smallWorkdir(t *testing.T, dir string) (progress, output []byte, outputPath string) {
	tr := open(t, dir, Options{now: fixedTime})
	add(t, tr, okRecord("first.jpg"), failedRecord("bad.jpg", Crash), okRecord("new\nline.jpg"), okRecord("last ü.jpg"))
	outputPath = tr.OutputPath()
	closeTracker(t, tr)
	return read(t, dir, ProgressName), read(t, outputPath), outputPath
}

var smallPaths = []string{"first.jpg", "new\nline.jpg", "last ü.jpg"}

// TestFlippedBytes damages every byte of both files in turn.
func TestFlippedBytes(t *testing.T) {
	dir := memDir(t)
	progress, output, outputPath := smallWorkdir(t, dir)
	for _, flip := range []byte{0x01, 0x80, 0xff, 0x20} {
		for i := range progress {
			damaged := bytes.Clone(progress)
			damaged[i] ^= flip
			write(t, string(damaged), dir, ProgressName)
			write(t, string(output), outputPath)
			tr := open(t, dir, Options{})
			for _, p := range smallPaths {
				if !tr.Done(p) {
					t.Fatalf("progress byte %d: %q lost", i, p)
				}
			}
			closeTracker(t, tr)
		}
		step := 1
		if flip != 0x01 || testing.Short() {
			step = 7
		}
		for i := 0; i < len(output); i += step {
			damaged := bytes.Clone(output)
			damaged[i] ^= flip
			write(t, string(progress), dir, ProgressName)
			write(t, string(damaged), outputPath)
			tr := open(t, dir, Options{})
			for _, p := range smallPaths {
				if !tr.Done(p) {
					t.Fatalf("output byte %d: %q lost", i, p)
				}
			}
			closeTracker(t, tr)
			if _, err := Summarize(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCutTails cuts the last two lines of either file, or of both, at every byte.
func TestCutTails(t *testing.T) {
	dir := memDir(t)
	progress, output, outputPath := smallWorkdir(t, dir)
	twoLines := func(b []byte) int {
		b = b[:bytes.LastIndexByte(b[:len(b)-1], '\n')]
		return bytes.LastIndexByte(b, '\n') + 1
	}
	try := func(p, o []byte) {
		write(t, string(p), dir, ProgressName)
		write(t, string(o), outputPath)
		tr := open(t, dir, Options{now: fixedTime})
		for _, path := range smallPaths {
			if tr.Done(path) {
				continue
			}
			// A photo may be lost only when either file lost it.
			if bytes.Contains(p, []byte(EncodePath(path)+"\n")) || bytes.Contains(o, []byte(strings.TrimSuffix(line(t, okRecord(path)), "\n"))) {
				t.Fatalf("%q lost, progress cut to %d and output to %d", path, len(p), len(o))
			}
			add(t, tr, okRecord(path))
		}
		if second := tr.OutputPath(); second != "" {
			defer os.Remove(second)
		}
		closeTracker(t, tr)
		if got := checkFiles(t, dir); len(got) != len(smallPaths) {
			t.Fatalf("%v, progress cut to %d and output to %d", got, len(p), len(o))
		}
	}
	for i := twoLines(progress); i <= len(progress); i++ {
		try(progress[:i], output)
		try(progress[:i], output[:twoLines(output)])
	}
	for i := twoLines(output); i <= len(output); i++ {
		try(progress, output[:i])
		try(progress[:twoLines(progress)], output[:i])
	}
}

func FuzzProgress(f *testing.F) {
	f.Add([]byte("a\nb\r\n\"c\\n\"\n\x00\nlast"))
	f.Add([]byte("\ufeffa\n"))
	dir := memDir(f)
	f.Fuzz(func(t *testing.T, progress []byte) {
		write(t, string(progress), dir, ProgressName)
		tr := open(t, dir, Options{})
		c := tr.Counts()
		path := "never in the corpus, we hope"
		if !tr.Done(path) {
			add(t, tr, okRecord(path))
			c.Done++
		}
		out := tr.OutputPath()
		closeTracker(t, tr)
		again := open(t, dir, Options{})
		defer again.Close()
		if got := again.Counts().Done; got != c.Done {
			t.Fatalf("%d photos, then %d", c.Done, got)
		}
		os.Remove(out)
	})
}

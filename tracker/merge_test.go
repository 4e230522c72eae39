package tracker

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// workdirOf writes a workdir of the folder root with these records.
func workdirOf(t testing.TB, root string, records ...Record) string {
	t.Helper()
	dir := t.TempDir()
	tr := open(t, dir, Options{Root: root})
	add(t, tr, records...)
	closeTracker(t, tr)
	return dir
}

func described(path, text string, at time.Time) Record {
	r := okRecord(path)
	r.Description, r.Time = text, at
	return r
}

func merged(t testing.TB, dir string, sources ...string) Merged {
	t.Helper()
	m, err := Merge(dir, sources, MergeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMerge(t *testing.T) {
	root, dir := t.TempDir(), filepath.Join(t.TempDir(), "all")
	early, late := testTime, testTime.Add(time.Hour)
	one := workdirOf(t, root, described("a", "a of one", early), described("both\n", "early", early), failedRecord("c", "timeout"), described("d", "d", early))
	two := workdirOf(t, root, described("b", "b of two", early), described("both\n", "late", late), described("c", "c at last", early), failedRecord("d", "timeout"), failedRecord("e", "unsupported"))
	correct(t, one, Correction{Path: "a", Description: "mine", Time: early})
	// A photo whose outputs were lost stays described.
	f, err := os.OpenFile(filepath.Join(two, ProgressName), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, "lost")
	f.Close()

	want := "a=mine(a of one[]) b=b of two both\n=late c=c at last d=d e="
	check := func() {
		t.Helper()
		if got := sorted(photosText(t, dir, Select{})); got != sorted(want) {
			t.Errorf("%q, want %q", got, want)
		}
		tr := open(t, dir, Options{Root: root})
		defer tr.Close()
		if c := tr.Counts(); c.Done != 6 || c.Failed != 1 || !tr.Done("lost") {
			t.Errorf("%+v", c)
		}
		if n := strings.Count(string(read(t, dir, ProgressName)), "\n"); n != 6 {
			t.Errorf("%d progress lines", n)
		}
	}
	m := merged(t, dir, one, two)
	if m.Photos != 6 || m.Several != 3 || m.Corrections != 1 || m.Counts.Done != 6 || m.Counts.Failed != 1 || m.Bad != 0 {
		t.Errorf("%+v", m)
	}
	check()
	// Again: nothing is added.
	if m = merged(t, dir, two, one); m.Photos != 0 || m.Lines != 0 || m.Corrections != 0 {
		t.Errorf("again: %+v", m)
	}
	check()
	// What a shard describes later is added.
	tr := open(t, one, Options{})
	add(t, tr, described("f", "f", late))
	closeTracker(t, tr)
	if m = merged(t, dir, one, two); m.Photos != 1 || m.Lines != 1 || m.Counts.Done != 7 {
		t.Errorf("later: %+v", m)
	}
	if s, err := readState(dir); err != nil || s.Root != root || s.died() || s.Done != 7 {
		t.Errorf("%+v %v", s, err)
	}
}

func sorted(words string) string {
	list := strings.Split(words, " ")
	slices.Sort(list)
	return strings.Join(list, " ")
}

// Newer words of a source count, though the file they are in began before that of the older ones.
func TestMergeOrder(t *testing.T) {
	root := t.TempDir()
	dir := workdirOf(t, root, described("a", "old", testTime))
	source := t.TempDir()
	tr := open(t, source, Options{Root: root, now: func() time.Time { return testTime.Add(-time.Hour) }})
	add(t, tr, described("a", "new", testTime.Add(time.Second)))
	closeTracker(t, tr)
	merged(t, dir, source)
	if got := photosText(t, dir, Select{}); got != "a=new" {
		t.Error(got)
	}
	if m := merged(t, source, dir); m.Photos != 0 {
		t.Errorf("old words came back: %+v", m)
	}
}

func TestMergeRefused(t *testing.T) {
	root := t.TempDir()
	one, two := workdirOf(t, root, okRecord("a")), workdirOf(t, t.TempDir(), okRecord("b"))
	dir := filepath.Join(t.TempDir(), "all")
	if _, err := Merge(dir, []string{one, two}, MergeOptions{}); err == nil || !strings.Contains(err.Error(), root) {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a workdir was made")
	}
	if m, err := Merge(dir, []string{one, two}, MergeOptions{Root: root}); err != nil || m.Counts.Done != 2 {
		t.Error(m, err)
	}
	tr := open(t, one, Options{})
	if _, err := Merge(dir, []string{one}, MergeOptions{}); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Error(err)
	}
	closeTracker(t, tr)
}

// A torn line and one that cannot be read are not merged; the source's torn line is cut off as by a run.
func TestMergeDamaged(t *testing.T) {
	root := t.TempDir()
	one := workdirOf(t, root, okRecord("a"), okRecord("b"))
	files, err := outputFiles(one)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text := string(read(t, files[0]))
	if err := os.WriteFile(files[0], []byte("{damaged}\n"+text+`{"path":"torn`), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "all")
	if m := merged(t, dir, one); m.Bad != 1 || m.Lines != 2 || m.Counts.Done != 2 {
		t.Errorf("%+v", m)
	}
	left, _ := filepath.Glob(filepath.Join(dir, OutputsName, ".*"))
	if len(left) > 0 {
		t.Error(left)
	}
	files, err = outputFiles(dir)
	if err != nil || len(files) != 1 || strings.Contains(string(read(t, files[0])), "torn") {
		t.Error(files, err)
	}
}

// BenchmarkMerge merges eight shards of PHOTODESC_BENCH_MERGE photos together, 10,000 unless told otherwise.
func BenchmarkMerge(b *testing.B) {
	n := 10_000
	fmt.Sscan(os.Getenv("PHOTODESC_BENCH_MERGE"), &n)
	var sources []string
	for s := range 8 {
		dir := b.TempDir()
		tr := open(b, dir, Options{Root: "/photos"})
		closeTracker(b, tr)
		var lines, progress strings.Builder
		for i := s; i < n; i += 8 {
			r := okRecord(fmt.Sprintf("2024/%02d/IMG_%07d.jpg", i%12, i))
			text, err := r.appendLine(nil)
			if err != nil {
				b.Fatal(err)
			}
			lines.Write(text)
			progress.WriteString(r.Path + "\n")
		}
		for name, text := range map[string]string{ProgressName: progress.String(), filepath.Join(OutputsName, outputName(testTime)): lines.String()} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				b.Fatal(err)
			}
		}
		sources = append(sources, dir)
	}
	for b.Loop() {
		if m := merged(b, filepath.Join(b.TempDir(), "all"), sources...); m.Counts.Done != n {
			b.Fatalf("%+v", m)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "photos/s")
}

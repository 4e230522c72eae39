package search

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"photodesc/tracker"
)

// workdir is a workdir with output files that a test writes.
type workdir struct {
	t   *testing.T
	dir string
}

func newWorkdir(t *testing.T) workdir {
	w := workdir{t, t.TempDir()}
	if err := os.Mkdir(filepath.Join(w.dir, tracker.OutputsName), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w workdir) add(file int, records ...tracker.Record) {
	w.t.Helper()
	var b []byte
	for _, r := range records {
		if r.Status == "" {
			r.Status = tracker.OK
		}
		line, err := r.Line()
		if err != nil {
			w.t.Fatal(err)
		}
		b = append(b, line...)
	}
	w.append(file, string(b))
}

func (w workdir) name(file int) string {
	return filepath.Join(w.dir, tracker.OutputsName, fmt.Sprintf("image_analysis_2026010%d_120000.jsonl", file))
}

func (w workdir) append(file int, text string) {
	w.t.Helper()
	f, err := os.OpenFile(w.name(file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
}

func (w workdir) index() *Index {
	w.t.Helper()
	x, err := Open(context.Background(), w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { x.Close() })
	if err := x.Update(context.Background(), nil); err != nil {
		w.t.Fatal(err)
	}
	return x
}

func find(t *testing.T, x *Index, text string, o Options) (paths []string) {
	t.Helper()
	matches, more, err := x.Find(context.Background(), text, o, func(h Hit) error {
		paths = append(paths, h.Path)
		return nil
	})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if (len(paths) != matches || more) && o.Limit == 0 {
		t.Errorf("%q: %d hits, %d matches, more %v", text, len(paths), matches, more)
	}
	return paths
}

func TestQueries(t *testing.T) {
	w := newWorkdir(t)
	day := func(d int) time.Time { return time.Date(2026, 3, d, 12, 0, 0, 0, time.UTC) }
	w.add(1,
		tracker.Record{Path: "2024/summer/beach.jpg", Description: "A dog runs along the beach.", Keywords: []string{"dog", "sea"}, Time: day(1)},
		tracker.Record{Path: "2024/winter.jpg", Description: "Two cats on a sofa in a living room.", Time: day(2)},
		tracker.Record{Path: "2024x/IMG_1234.jpg", Description: "A café at night; a hot-dog stand.", Time: day(3)},
		tracker.Record{Path: "nihon/a.jpg", Description: "公園で犬が走っている。", Answers: map[string]tracker.RecordAnswer{"scene": {Text: "outdoors"}}, Time: day(4)},
		tracker.Record{Path: "de/b.jpg", Description: "Ein Mädchen streichelt Hunde vor dem Café \"Größe\".", Time: day(5)},
		tracker.Record{Path: "failed.jpg", Status: tracker.Failed, Error: &tracker.RecordError{Kind: tracker.Timeout, Message: "dog"}, Time: day(6)},
		tracker.Record{Path: "odd/\xff.jpg", Description: "A dog. A dog. A dog.", Time: day(7)},
	)
	x := w.index()
	for _, c := range []struct {
		text string
		o    Options
		want []string // in this order
	}{
		{"dog", Options{}, []string{"odd/\xff.jpg", "2024/summer/beach.jpg", "2024x/IMG_1234.jpg"}},
		{"Dogs", Options{}, []string{"odd/\xff.jpg", "2024/summer/beach.jpg", "2024x/IMG_1234.jpg"}},
		{"dog beach", Options{}, []string{"2024/summer/beach.jpg"}},
		{"running dog", Options{}, []string{"2024/summer/beach.jpg"}},
		{`"runs along"`, Options{}, []string{"2024/summer/beach.jpg"}},
		{`"along runs"`, Options{}, nil},
		{`"living roo`, Options{}, nil},
		{`"living room`, Options{}, []string{"2024/winter.jpg"}},
		{`"living roo"*`, Options{}, []string{"2024/winter.jpg"}},
		{"so*", Options{}, []string{"2024/winter.jpg"}},
		{"cafe", Options{}, []string{"de/b.jpg", "2024x/IMG_1234.jpg"}},
		{"Café grosse", Options{}, nil},
		{"CAFÉ GRÖßE", Options{}, []string{"de/b.jpg"}},
		{"1234", Options{}, []string{"2024x/IMG_1234.jpg"}},
		{"hot-dog", Options{}, []string{"2024x/IMG_1234.jpg"}},
		{"dog -beach", Options{}, []string{"odd/\xff.jpg", "2024x/IMG_1234.jpg"}},
		{`dog -"hot dog" -beach`, Options{}, []string{"odd/\xff.jpg"}},
		{"-dog", Options{}, []string{"de/b.jpg", "nihon/a.jpg", "2024/winter.jpg"}},
		{"cats OR beach", Options{}, []string{"2024/summer/beach.jpg", "2024/winter.jpg"}},
		{"or cats", Options{}, nil},
		{"OR cats", Options{}, []string{"2024/winter.jpg"}},
		{"犬", Options{}, []string{"nihon/a.jpg"}},
		{"犬が走", Options{}, []string{"nihon/a.jpg"}},
		{"走犬", Options{}, nil},
		{"公園 犬 outdoors", Options{}, []string{"nihon/a.jpg"}},
		{"dog", Options{Folder: "2024"}, []string{"2024/summer/beach.jpg"}},
		{"dog", Options{Folder: "/2024/summer/"}, []string{"2024/summer/beach.jpg"}},
		{"dog", Options{Folder: "2024/sum"}, nil},
		{"-cats", Options{Folder: "2024"}, []string{"2024/summer/beach.jpg"}},
		{"dog", Options{Since: day(3)}, []string{"odd/\xff.jpg", "2024x/IMG_1234.jpg"}},
		{"dog", Options{Limit: 1}, []string{"odd/\xff.jpg"}},
		// What FTS5 has a meaning for is text here.
		{`NEAR(dog beach)`, Options{}, nil},
		{`description:dog`, Options{}, nil},
		{`dog AND beach`, Options{}, nil},
		{`^dog ) ( ' ; --`, Options{}, []string{"odd/\xff.jpg", "2024/summer/beach.jpg", "2024x/IMG_1234.jpg"}},
		{"folders : f", Options{}, nil},
	} {
		if got := find(t, x, c.text, c.o); !slices.Equal(got, c.want) {
			t.Errorf("%q %+v: %q, want %q", c.text, c.o, got, c.want)
		}
	}
	for _, text := range []string{"", "  ", `""`, "*", "- -- ?", "-*"} {
		if _, _, err := x.Find(context.Background(), text, Options{}, nil); !errors.Is(err, ErrEmpty) {
			t.Errorf("%q: %v, want ErrEmpty", text, err)
		}
	}
}

func TestMarks(t *testing.T) {
	w := newWorkdir(t)
	w.add(1, tracker.Record{Path: "a.jpg", Description: "Running dogs, \ue000公園で犬が走る", Keywords: []string{"dog", "park"}})
	x := w.index()
	for text, want := range map[string]string{
		"dog": "Running [dogs], 公園で犬が走る",
		"run": "[Running] dogs, 公園で犬が走る",
		"犬が":  "Running dogs, 公園で[犬が]走る",
	} {
		got := ""
		_, _, err := x.Find(context.Background(), text, Options{}, func(h Hit) error {
			got += strings.NewReplacer(MarkBegin, "[", MarkEnd, "]").Replace(h.Description)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestUpdate(t *testing.T) {
	w := newWorkdir(t)
	x := w.index()
	check := func(when, text string, want ...string) {
		t.Helper()
		if err := x.Update(context.Background(), nil); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if got := find(t, x, text, Options{}); !slices.Equal(got, want) {
			t.Errorf("%s: %q finds %q, want %q", when, text, got, want)
		}
	}
	check("nothing there", "dog")
	w.add(1, tracker.Record{Path: "a.jpg", Description: "a dog"})
	check("one added", "dog", "a.jpg")
	w.append(1, `{"path":"b.jpg","status":"ok","descr`)
	check("a line half written", "dog", "a.jpg")
	w.append(1, `iption":"a dog"}`+"\n"+"damaged\n")
	check("its other half", "dog", "b.jpg", "a.jpg")
	w.add(2, tracker.Record{Path: "a.jpg", Description: "a cat"})
	check("described anew", "dog", "b.jpg")
	check("described anew", "cat", "a.jpg")
	w.add(2, tracker.Record{Path: "a.jpg", Status: tracker.Failed, Error: &tracker.RecordError{Kind: tracker.Model}})
	check("failed later", "cat", "a.jpg")
	if err := os.Remove(w.name(1)); err != nil {
		t.Fatal(err)
	}
	check("an output is gone", "dog")
	check("an output is gone", "cat", "a.jpg")
	if err := os.Truncate(w.name(2), 0); err != nil {
		t.Fatal(err)
	}
	w.add(2, tracker.Record{Path: "c.jpg", Description: "a much longer description of a dog than there was before, and more of it, so that the file is longer"})
	check("an output of other bytes", "cat")
	check("an output of other bytes", "dog", "c.jpg")
}

// Lines that cannot be read are passed over, counted, and read only once.
func TestUnreadable(t *testing.T) {
	w := newWorkdir(t)
	x := w.index()
	w.add(1, tracker.Record{Path: "a.jpg", Description: "a dog"})
	w.append(1, "\n"+strings.Repeat("x", 9<<20)+"\ndamaged\n")
	w.add(1, tracker.Record{Path: "b.jpg", Description: "a dog"})
	for _, lines := range []int{2, 0} {
		if err := x.Update(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		if got := find(t, x, "dog", Options{}); !slices.Equal(got, []string{"b.jpg", "a.jpg"}) {
			t.Errorf("found %q", got)
		}
		u := x.Unreadable()
		if u.Lines != lines || lines > 0 && (filepath.Join(w.dir, u.File) != w.name(1) || u.At < 50 || u.Err == nil) {
			t.Errorf("%+v, want %d lines", u, lines)
		}
	}
}

// A kill between two transactions, or in one, leaves an index that goes on.
func TestInterrupted(t *testing.T) {
	w := newWorkdir(t)
	var records []tracker.Record
	for i := range perTransaction + 10 {
		records = append(records, tracker.Record{Path: fmt.Sprintf("%d.jpg", i), Description: "a dog"})
	}
	w.add(1, records...)
	x, err := Open(context.Background(), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	ctx, cancel := context.WithCancel(context.Background())
	if err := x.Update(ctx, func(int) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want that it was cancelled", err)
	}
	count := func() (n int) {
		if err := x.db.QueryRow("SELECT count(*) FROM words WHERE words MATCH 'dog'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != perTransaction {
		t.Errorf("%d photos after the first transaction, want %d", n, perTransaction)
	}
	if err := x.Update(context.Background(), nil); err != nil || count() != len(records) {
		t.Errorf("%d photos, %v", count(), err)
	}
	seen := map[string]bool{}
	for _, path := range find(t, x, "dog", Options{}) {
		seen[path] = true
	}
	if len(seen) != len(records) {
		t.Errorf("%d of %d found", len(seen), len(records))
	}
	if got := find(t, x, "dog", Options{Limit: ranked + 5}); len(got) != ranked+5 {
		t.Errorf("%d hits, want %d", len(got), ranked+5)
	}
}

func TestDamaged(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"no database": func(path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o644)
		},
		"cut":   func(path string) error { return os.Truncate(path, 5000) },
		"empty": func(path string) error { return os.Truncate(path, 0) },
		"zeros": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt(make([]byte, 8192), 4096)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorkdir(t)
			w.add(1, tracker.Record{Path: "a.jpg", Description: "a dog"})
			x := w.index()
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			if err := damage(x.path); err != nil {
				t.Fatal(err)
			}
			if got := find(t, w.index(), "dog", Options{}); !slices.Equal(got, []string{"a.jpg"}) {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestOtherLayout(t *testing.T) {
	w := newWorkdir(t)
	w.add(1, tracker.Record{Path: "a.jpg", Description: "a dog"})
	x := w.index()
	if _, err := x.db.Exec("DROP TABLE words; PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	x.Close()
	if got := find(t, w.index(), "dog", Options{}); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// Two searches at once used to add the same records, to fail with a busy index, and to count photos that they did not show.
func TestTwoAtOnce(t *testing.T) {
	w := newWorkdir(t)
	var records []tracker.Record
	for i := range 2*perTransaction + 10 {
		records = append(records, tracker.Record{Path: fmt.Sprintf("%d.jpg", i), Description: "a dog"})
	}
	w.add(1, records...)
	first, err := Open(context.Background(), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	type result struct {
		added int
		err   error
	}
	second := make(chan result, 1)
	started := false
	err = first.Update(context.Background(), func(int) {
		if started {
			return
		}
		started = true
		go func() {
			var r result
			var x *Index
			if x, r.err = Open(context.Background(), w.dir); r.err == nil {
				defer x.Close()
				r.err = x.Update(context.Background(), func(n int) { r.added = n })
			}
			second <- r
		}()
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := <-second; r.err != nil || r.added > 0 {
		t.Errorf("the second search added %d records again, %v", r.added, r.err)
	}
}

// A photo is described anew, and indexed by another search, while the first shows what it has found.
func TestChangedWhileFinding(t *testing.T) {
	w := newWorkdir(t)
	var records []tracker.Record
	for i := range ranked + 1 {
		records = append(records, tracker.Record{Path: fmt.Sprintf("%d.jpg", i), Description: "a dog"})
	}
	w.add(1, records...)
	x := w.index()
	seen := map[string]bool{}
	matches, _, err := x.Find(context.Background(), "dog", Options{}, func(h Hit) error {
		if len(seen) == 0 {
			w.add(1, records...)
			w.index()
		}
		seen[h.Path] = true
		return nil
	})
	if err != nil || len(seen) != matches || matches != len(records) {
		t.Errorf("%d of %d photos, %v", len(seen), matches, err)
	}
}

// Damage that bringing the index up to date does not meet.
func TestDamagedWords(t *testing.T) {
	for _, damage := range []string{
		"DELETE FROM photos", "DELETE FROM words_data WHERE id > 10", "UPDATE words_data SET block = x'00' WHERE id > 10", "DROP TABLE words_idx",
	} {
		t.Run(damage, func(t *testing.T) {
			w := newWorkdir(t)
			w.add(1, tracker.Record{Path: "a.jpg", Description: "a dog"})
			x := w.index()
			if _, err := x.db.Exec(damage); err != nil {
				t.Fatal(err)
			}
			x.Close()
			if got := find(t, w.index(), "dog", Options{}); !slices.Equal(got, []string{"a.jpg"}) {
				t.Errorf("%q", got)
			}
		})
	}
}

// Paths come back as they are, also with characters that the index uses itself.
func TestPathsOfIndexCharacters(t *testing.T) {
	w := newWorkdir(t)
	paths := []string{"zero\u200bwidth dog.jpg", "dog " + MarkBegin + ".jpg", "犬\u200b犬 dog.jpg"}
	for _, path := range paths {
		w.add(1, tracker.Record{Path: path})
	}
	slices.Sort(paths)
	got := find(t, w.index(), "dog", Options{})
	slices.Sort(got)
	if !slices.Equal(got, paths) {
		t.Errorf("%q, want %q", got, paths)
	}
}

func TestNoIndexPossible(t *testing.T) {
	w := newWorkdir(t)
	if err := os.Mkdir(filepath.Join(w.dir, IndexName), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), w.dir); err == nil {
		t.Error("no error where a folder has the index's name")
	}
	if _, err := Open(context.Background(), filepath.Join(w.dir, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a workdir that is not there: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"dog", `"a b" -c OR d*`, `犬"`, "-", `*"`, "\x00", "a\u200bb", `"""`} {
		f.Add(s)
	}
	dir := f.TempDir()
	x, err := Open(context.Background(), dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { x.Close() })
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := x.Find(context.Background(), text, Options{}, func(Hit) error { return nil }); err != nil && !errors.Is(err, ErrEmpty) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

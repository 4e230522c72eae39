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
	if (min(len(paths), countedTo) != matches || more != (len(paths) > countedTo)) && o.Limit == 0 {
		t.Errorf("%q: %d hits, %d matches, more %v", text, len(paths), matches, more)
	}
	return paths
}

func TestQueries(t *testing.T) {
	w := newWorkdir(t)
	day := func(d int) time.Time { return time.Date(2026, 3, d, 12, 0, 0, 0, time.UTC) }
	w.add(1,
		tracker.Record{Path: "2024/summer/beach.jpg", Description: "A dog runs along the beach.", Keywords: []string{"dog", "sea"}, Time: day(1)},
		tracker.Record{Path: "2024/winter.jpg", Description: "Two cats on a sofa in a living room.", Place: &tracker.PhotoPlace{Location: "Vomero", City: "Naples", State: "Campania", Country: "Italy"}, Time: day(2)},
		tracker.Record{Path: "2024x/IMG_1234.jpg", Place: &tracker.PhotoPlace{City: "Puddle Harbour", Latitude: new(1.0), Longitude: new(2.0)}, Description: "A café at night; a hot-dog stand.", Time: day(3)},
		tracker.Record{Path: "nihon/a.jpg", Place: &tracker.PhotoPlace{City: "京都", Country: "日本"}, Description: "公園で犬が走っている。", Answers: map[string]tracker.RecordAnswer{"scene": {Text: "outdoors"}}, Time: day(4)},
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
		{"naples cats", Options{}, []string{"2024/winter.jpg"}},
		{"-italy dog", Options{Folder: "2024"}, []string{"2024/summer/beach.jpg"}},
		{"place:harbour", Options{}, []string{"2024x/IMG_1234.jpg"}},
		{`Place:"puddle harbour" dogs`, Options{}, []string{"2024x/IMG_1234.jpg"}},
		{"place:nap*", Options{}, []string{"2024/winter.jpg"}},
		{"dog -place:harbour", Options{}, []string{"odd/\xff.jpg", "2024/summer/beach.jpg"}},
		{"place:京都 OR place:campania", Options{}, []string{"2024/winter.jpg", "nihon/a.jpg"}},
		{"place:cats", Options{}, nil},
		{"place: harbour1", Options{}, nil},
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

package export

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"photodesc/tracker"
)

func record(path, description string) *tracker.Photo {
	return &tracker.Photo{Record: tracker.Record{
		Path: path, Status: tracker.OK, Description: description, Keywords: []string{"dog", "red, or so"}, Model: "smolvlm", Width: 4000, Height: 3000,
		Answers: map[string]tracker.RecordAnswer{"short": {Text: "A dog."}, "keywords": {Text: "dog, red"}, "prompt-10": {Text: "ten"}, "prompt-9": {Text: "nine"}},
		Time:    time.Date(2026, 5, 31, 23, 59, 58, 5e8, time.FixedZone("", 2*3600)),
		Taken:   "2019-07-14T12:30:05+02:00", Camera: "Canon EOS 5D", Place: &tracker.PhotoPlace{Latitude: new(47.5), Longitude: new(-0.25), City: "Angers", Country: "France"},
	}}
}

func table(t *testing.T, o TableOptions, records ...*tracker.Photo) string {
	t.Helper()
	var b bytes.Buffer
	w, err := NewTable(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestUsualColumns(t *testing.T) {
	further := Further{}
	r := record("a/b.jpg", "A dog.")
	further.Add(r)
	got := table(t, TableOptions{Columns: UsualColumns(further.Names(), false), Mark: true}, r)
	want := "\ufeffpath,description,keywords,answers.short,answers.prompt-9,answers.prompt-10,taken,camera,model,width,height,time\n" +
		"a/b.jpg,A dog.,\"dog, red, or so\",A dog.,nine,ten,2019-07-14 12:30:05,Canon EOS 5D,smolvlm,4000,3000,2026-05-31T21:59:58Z\n"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	failed := &tracker.Photo{Record: tracker.Record{Path: "c.jpg", Status: tracker.Failed, Error: &tracker.RecordError{Kind: tracker.Timeout, Message: "too slow"}}}
	got = table(t, TableOptions{Columns: UsualColumns(nil, true)}, failed)
	want = "path,description,keywords,taken,camera,model,width,height,time,status,error_kind,error\nc.jpg,,,,,,,,,failed,timeout,too slow\n"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestChosenColumns(t *testing.T) {
	columns, err := ChosenColumns([]string{"answers.short", " path"})
	if err != nil {
		t.Fatal(err)
	}
	if got := table(t, TableOptions{Columns: columns, Separator: ';'}, record("a;b.jpg", "")); got != "answers.short;path\nA dog.;\"a;b.jpg\"\n" {
		t.Error(got)
	}
	if columns, err = ChosenColumns([]string{"latitude", "longitude", "place", "city", "country", "corrected"}); err != nil {
		t.Fatal(err)
	}
	r := record("a.jpg", "")
	r.CorrectedAt = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	if got := table(t, TableOptions{Columns: columns}, r, &tracker.Photo{}); got != "latitude,longitude,place,city,country,corrected\n47.5,-0.25,\"Angers, France\",Angers,France,2026-06-01T00:00:00Z\n,,,,,\n" {
		t.Error(got)
	}
	for _, names := range [][]string{{"paths"}, {"answers."}, {""}, {}} {
		if _, err := ChosenColumns(names); err == nil {
			t.Errorf("%q: no error", names)
		}
	}
}

// What stands between the fields cannot come from a text.
func TestTableTexts(t *testing.T) {
	columns, err := ChosenColumns([]string{"path", "description"})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"plain", "two\nlines", "tab\there", "\"quoted\" and, more", "\"open", "=1+1", "-2", "@x", "＝1", "'=1", " =1", "\tx", "\r\n", "犬", "a\x00b", "", `\.`, "\u2028",
	} {
		r := record("p.jpg", text)
		rows, err := csv.NewReader(strings.NewReader(table(t, TableOptions{Columns: columns}, r))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(strings.ReplaceAll(text, "\x00", ""), "\r\n", "\n") // csv.Reader takes all line ends for newlines
		if len(rows) != 2 || Unguard(rows[1][1]) != want {
			t.Errorf("CSV of %q is read as %q", text, rows)
		}
		lines := strings.Split(strings.TrimSuffix(table(t, TableOptions{Columns: columns, Tabs: true}, r), "\n"), "\n")
		if len(lines) != 2 || strings.Count(lines[1], "\t") != 1 || strings.ContainsAny(lines[1], "\r\v\f\x00") {
			t.Errorf("TSV of %q: %q", text, lines)
		}
		read := csv.NewReader(strings.NewReader(lines[1]))
		read.Comma, read.LazyQuotes = '\t', true
		if fields, err := read.Read(); err != nil || len(fields) != 2 || Unguard(fields[1]) != strings.NewReplacer("\x00", "", "\r\n", " ", "\n", " ", "\t", " ", "\u2028", " ").Replace(text) {
			t.Errorf("TSV of %q is read as %q, %v", text, fields, err)
		}
	}
}

// An empty line is no row to most readers.
func TestEmptyOnlyField(t *testing.T) {
	columns, err := ChosenColumns([]string{"description"})
	if err != nil {
		t.Fatal(err)
	}
	got := table(t, TableOptions{Columns: columns}, record("a", "one"), record("b", ""), record("c", "three"))
	rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil || !slices.EqualFunc(rows, [][]string{{"description"}, {"one"}, {""}, {"three"}}, slices.Equal) {
		t.Errorf("%q, %v", rows, err)
	}
}

func FuzzGuard(f *testing.F) {
	for _, s := range []string{"", "=", "'=", "''+x", "＝", "a", "'", "\xff", "'\xff=", "-\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		guarded := Guard(cell)
		if Unguard(guarded) != cell {
			t.Errorf("%q is guarded as %q and comes back as %q", cell, guarded, Unguard(guarded))
		}
		if strings.IndexAny(first(guarded), formulaStarts) == 0 {
			t.Errorf("%q begins a formula", guarded)
		}
	})
}

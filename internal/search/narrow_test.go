package search

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"photodesc/tracker"
)

func sorted(paths []string) string {
	list := strings.Fields(strings.Join(paths, " "))
	for i := range list {
		for j := range i {
			if list[i] < list[j] {
				list[i], list[j] = list[j], list[i]
			}
		}
	}
	return strings.Join(list, " ")
}

func TestTaken(t *testing.T) {
	w := newWorkdir(t)
	photo := func(path, taken string) tracker.Record {
		return tracker.Record{Path: path, Description: "a dog", Taken: taken}
	}
	w.add(1, photo("a", "2023-12-31T23:59:59"), photo("b", "2024-01-01T00:00:00+02:00"), photo("c", "2024-02-29T12:00:00"),
		photo("d", "2024-05-31T12:00:00"), photo("e", "2199-12-31T00:00:00"), photo("f", ""), photo("g", "1826-01-01T00:00:00"), photo("h", "2024"), photo("i", "2024------"))
	x := w.index()
	for text, want := range map[string]string{
		"2024": "b c d", "2024-02": "c", "2024-02-29": "c", "2024-02-28": "", "2023-12-31..2024-01-01": "a b", "2023..2024-02": "a b c",
		"2024-02-29..": "c d e", "..2023": "a g", "2024-01-02..2024-05-30": "c",
	} {
		if got := sorted(find(t, x, "dog", Options{Taken: days(t, text)})); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := sorted(find(t, x, "-cat", Options{Taken: days(t, "2024-05")})); got != "d" {
		t.Errorf("without a word: %q", got)
	}
	if got := sorted(find(t, x, "dog -dog", Options{Taken: days(t, "2024-05")})); got != "" {
		t.Errorf("excluded: %q", got)
	}
	// Tags are no words.
	for _, text := range []string{"m202405", "d20240531"} {
		if got := find(t, x, text, Options{}); len(got) > 0 {
			t.Errorf("%s: %q", text, got)
		}
	}
	for _, text := range []string{"", "..", "24", "2024-13", "2024-02-30", "2024..2023", "2024..2025..2026", "1800", "2024-5", "yesterday"} {
		if d, err := ParseDays(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
}

func TestCamera(t *testing.T) {
	w := newWorkdir(t)
	w.add(1, tracker.Record{Path: "a", Description: "a dog", Camera: "Canon EOS 5D", Taken: "2024-05-31T12:00:00"}, tracker.Record{Path: "b", Description: "a cat"})
	x := w.index()
	var hits []Hit
	if _, _, err := x.Find(context.Background(), "canon dog", Options{}, func(h Hit) error { hits = append(hits, h); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(hits) != 1 || hits[0].Camera != MarkBegin+"Canon"+MarkEnd+" EOS 5D" || hits[0].Taken != "2024-05-31T12:00:00" {
		t.Errorf("%+v", hits)
	}
}

// Photos that were described while a clock was wrong are found by their own times.
func TestSinceWithWrongClock(t *testing.T) {
	w := newWorkdir(t)
	at := func(path string, hour int) tracker.Record {
		return tracker.Record{Path: path, Description: "a dog", Time: time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC)}
	}
	since := func(hour int) Options { return Options{Since: time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC)} }
	w.add(1, at("a", 1), at("b", 2), at("c", 2), at("d", 3))
	x := w.index()
	for hour, want := range []string{"a b c d", "a b c d", "b c d", "d", ""} {
		if got := sorted(find(t, x, "dog", since(hour))); got != want {
			t.Errorf("since %d: %q, want %q", hour, got, want)
		}
	}
	w.add(1, at("e", 9), at("f", 2), at("g", 5), at("h", 10))
	if err := x.Update(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	for hour, want := range []string{"a b c d e f g h", "a b c d e f g h", "b c d e f g h", "d e g h", "e g h", "e g h", "e h", "e h", "e h", "e h", "h", ""} {
		if got := sorted(find(t, x, "dog", since(hour))); got != want {
			t.Errorf("since %d: %q, want %q", hour, got, want)
		}
	}
	// Others take the place of those at the ends.
	w.add(2, at("a", 11), at("h", 4))
	if err := x.Update(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	for hour, want := range map[int]string{0: "a b c d e f g h", 4: "a e g h", 5: "a e g", 11: "a", 12: ""} {
		if got := sorted(find(t, x, "dog", since(hour))); got != want {
			t.Errorf("since %d: %q, want %q", hour, got, want)
		}
	}
}

func TestCorrectionsFound(t *testing.T) {
	w := newWorkdir(t)
	file := &tracker.PhotoFile{Size: 5, ModTime: time.Unix(100, 0)}
	old := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w.add(1, tracker.Record{Path: "a", Description: "a dog", Keywords: []string{"animal"}, Time: old, File: file}, tracker.Record{Path: "b\n", Description: "a dog", Time: old})
	w.append(1, `{"path":"broken","status":"failed","time":"2026-01-01T00:00:00Z"}`+"\n")
	x := w.index()
	check := func(when, text, want string) {
		t.Helper()
		if err := x.Update(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(find(t, x, text, Options{}), " "); got != want {
			t.Errorf("%s, %s: %q, want %q", when, text, got, want)
		}
	}
	correct := func(c tracker.Correction) {
		t.Helper()
		if err := tracker.Correct(w.dir, c); err != nil {
			t.Fatal(err)
		}
	}
	check("before", "dog", "b\n a")
	correct(tracker.Correction{Path: "a", Description: "a wolf", File: file})
	correct(tracker.Correction{Path: "broken", Keywords: []string{"harbour"}})
	check("corrected", "dog", "b\n")
	check("corrected", "wolf", "a")
	check("corrected", "animal", "a")
	check("a failed one", "harbour", "broken")
	correct(tracker.Correction{Path: "a", Keywords: []string{"pack"}, Description: "a wolf", File: file})
	check("again", "animal", "")
	check("again", "pack wolf", "a")
	var hits []Hit
	if _, _, err := x.Find(context.Background(), "wolf", Options{}, func(h Hit) error { hits = append(hits, h); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(hits) != 1 || !hits[0].Corrected || hits[0].Description != "a "+MarkBegin+"wolf"+MarkEnd || hits[0].Keywords != "pack" {
		t.Errorf("%+v", hits)
	}
	// Described again, first the same file, then another.
	future := time.Now().Add(time.Hour)
	w.add(2, tracker.Record{Path: "a", Description: "a fox", Time: future, File: file})
	check("described again", "fox", "")
	check("described again", "wolf", "a")
	w.add(2, tracker.Record{Path: "a", Description: "a cow", Time: future.Add(time.Hour), File: &tracker.PhotoFile{Size: 6}})
	check("another file", "wolf", "")
	check("another file", "cow", "a")
	// Pictures decide rather than sizes and times: metadata were changed, another photo was moved here.
	picture := func(hash string, size int64) *tracker.PhotoFile { return &tracker.PhotoFile{Size: size, Picture: hash} }
	w.add(2, tracker.Record{Path: "c", Description: "a dove", Time: old, File: picture("1", 7)})
	correct(tracker.Correction{Path: "c", Description: "a swan", File: picture("1", 7), Picture: "1"})
	w.add(2, tracker.Record{Path: "c", Description: "a dove", Time: future, File: picture("1", 8)})
	check("other metadata", "swan", "c")
	w.add(2, tracker.Record{Path: "c", Description: "a tree", Time: old, Via: tracker.ViaMoved, From: "d", File: picture("2", 8)})
	check("another photo", "swan", "")
	check("another photo", "tree", "c")
	// Taken back, and an index that is made anew.
	correct(tracker.Correction{Path: "b\n", Description: "a bird"})
	check("corrected", "bird", "b\n")
	if err := x.rebuild(context.Background()); err != nil {
		t.Fatal(err)
	}
	check("anew", "bird", "b\n")
	check("anew", "harbour", "broken")
	check("anew", "wolf", "")
	correct(tracker.Correction{Path: "b\n"})
	correct(tracker.Correction{Path: "broken"})
	check("taken back", "bird", "")
	check("taken back", "dog", "b\n")
	check("taken back", "harbour", "")
	if err := x.Paths(context.Background(), "cow", Options{}, func(path string) error {
		if path != "a" {
			t.Error(path)
		}
		return errDone
	}); !errors.Is(err, errDone) {
		t.Error(err)
	}
}

var errDone = errors.New("done")

// An index that has to catch up does it in parts.
func TestUpdateSome(t *testing.T) {
	w := newWorkdir(t)
	var records []tracker.Record
	for i := range perTransaction + 10 {
		records = append(records, tracker.Record{Path: strconv.Itoa(i), Description: "a dog"})
	}
	w.add(1, records...)
	x, err := Open(context.Background(), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	for part, want := range []struct {
		behind bool
		photos int
	}{{true, perTransaction}, {false, len(records)}, {false, len(records)}} {
		behind, err := x.UpdateSome(context.Background())
		if err != nil || behind != want.behind {
			t.Errorf("part %d: behind %v, %v", part, behind, err)
		}
		if got := len(find(t, x, "dog", Options{})); got != want.photos {
			t.Errorf("part %d: %d photos, want %d", part, got, want.photos)
		}
	}
}

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

	"photodesc/tracker"
)

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

// Lines that cannot be read are passed over, counted, told of each time, and read once.
func TestUnreadable(t *testing.T) {
	w := newWorkdir(t)
	x := w.index()
	w.add(1, tracker.Record{Path: "a.jpg", Description: "a dog"})
	w.append(1, "\n"+strings.Repeat("x", 9<<20)+"\ndamaged\n")
	w.add(1, tracker.Record{Path: "b.jpg", Description: "a dog"})
	for _, lines := range []int{2, 2} { // once, and told of each time
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

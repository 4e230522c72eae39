package export

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBeside(t *testing.T) {
	for photo, want := range map[string]string{
		"a/b.jpg": "a/b.txt", "b": "b.txt", "a.b/c": "a.b/c.txt", "a/.jpg": "a/.jpg.txt", "x.tar.gz": "x.tar.txt", "犬.JPG": "犬.txt", "new\nline.jpg": "new\nline.txt",
	} {
		if got := Beside(photo, ".txt", false); got != want {
			t.Errorf("%q: %q, want %q", photo, got, want)
		}
	}
	if got := Beside("a/b.jpg", ".txt", true); got != "a/b.jpg.txt" {
		t.Error(got)
	}
}

func TestShared(t *testing.T) {
	photos := []string{"a.CR2", "a.jpg", "a.png", "b.cr2", "b.dng", "c/a.jpg", "d.JPG", "d.jpg"}
	want := []string{"a.jpg", "b.cr2", "c/a.jpg", "d.JPG"}
	for range 2 {
		var s Shared
		for _, p := range photos {
			s.Add(p)
		}
		var first []string
		for _, p := range photos {
			if s.First(p) {
				first = append(first, p)
			}
		}
		slices.Sort(first)
		if !slices.Equal(first, want) {
			t.Errorf("%q, want %q", first, want)
		}
		slices.Reverse(photos)
	}
}

// TestSharedThere has photos that are not there make way for those that are.
func TestSharedThere(t *testing.T) {
	photos := []string{"a.jpg", "a.heic", "a.webp", "b.jpg", "b.png", "c.jpg"}
	for range 2 {
		s := Shared{There: func(p string) bool { return p == "a.heic" || p == "b.jpg" || p == "b.png" }}
		for _, p := range photos {
			s.Add(p)
		}
		for _, p := range photos {
			if s.First(p) != slices.Contains([]string{"a.heic", "b.jpg", "c.jpg"}, p) {
				t.Errorf("%s: %v", p, s.First(p))
			}
		}
		slices.Reverse(photos)
	}
}

// TestSidecarsLongName has nothing to remove of a file whose name was too long to be written.
func TestSidecarsLongName(t *testing.T) {
	// Whether the name fits is seen only when the folder is made.
	c := newCaptions(t, ledger(t, t.TempDir()), "", filepath.Join(t.TempDir(), "captions"))
	name := strings.Repeat("x", 253) + ".txt"
	if got := c.put(map[string]string{name[:253] + ".jpg": "x"}); got[name] != Broken {
		t.Fatal(got)
	}
	if got := c.removed(); got[name] == Broken {
		t.Error(got, c.errs)
	}
}

// captions writes files and hears what became of them.
type captions struct {
	*Sidecars
	t    *testing.T
	seen map[string]Outcome
	errs map[string]error
}

func newCaptions(t *testing.T, l *Ledger, photos, folder string) *captions {
	c := &captions{t: t}
	c.Sidecars = &Sidecars{Ledger: l, Kind: "txt", Photos: photos, Folder: folder, Report: func(file string, o Outcome, err error) {
		c.seen[file], c.errs[file] = o, err
	}}
	return c
}

// put writes texts by photo, which end with ".jpg".
func (c *captions) put(texts map[string]string) map[string]Outcome {
	c.t.Helper()
	c.seen, c.errs = map[string]Outcome{}, map[string]error{}
	for photo, text := range texts {
		if err := c.Put(context.Background(), photo, Beside(photo, ".txt", false), text); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := c.Flush(context.Background()); err != nil {
		c.t.Fatal(err)
	}
	return c.seen
}

func (c *captions) removed() map[string]Outcome {
	c.t.Helper()
	c.seen, c.errs = map[string]Outcome{}, map[string]error{}
	if err := c.Remove(context.Background(), func(string) bool { return true }); err != nil {
		c.t.Fatal(err)
	}
	return c.seen
}

func touch(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSidecars(t *testing.T) {
	photos := t.TempDir()
	l := ledger(t, t.TempDir())
	long := strings.Repeat("n", 251) + ".jpg"
	names := []string{"a.jpg", "new\nline.jpg", "-dash.jpg", "\xff.jpg", "\xff\xff/x.jpg", "sub/é.jpg", long, "theirs.jpg", "linked.jpg"}
	texts := map[string]string{"gone.jpg": "x", "../out.jpg": "x"}
	for _, name := range names {
		touch(t, filepath.Join(photos, name), "photo")
		texts[name] = "A text of " + filepath.Base(name)
	}
	touch(t, filepath.Join(photos, "theirs.txt"), "by hand")
	if err := os.Symlink("theirs.txt", filepath.Join(photos, "linked.txt")); err != nil {
		t.Fatal(err)
	}
	check := func(when string, got map[string]Outcome, want Outcome, others map[string]Outcome) {
		t.Helper()
		for file, o := range got {
			expected, other := others[file]
			if !other {
				expected = want
			}
			if o != expected {
				t.Errorf("%s: %q is %d, want %d", when, file, o, expected)
			}
		}
	}
	never := map[string]Outcome{"gone.txt": Gone, "../out.txt": Broken, "theirs.txt": Theirs, "linked.txt": Theirs}
	c := newCaptions(t, l, photos, "")
	dry := newCaptions(t, l, photos, "")
	dry.DryRun = true
	check("dry run", dry.put(texts), Written, never)
	if _, err := os.Stat(filepath.Join(photos, "a.txt")); err == nil {
		t.Error("a dry run wrote a file")
	}
	check("first", c.put(texts), Written, never)
	if got := content(t, filepath.Join(photos, "a.txt")); got != "A text of a.jpg\n" {
		t.Errorf("%q", got)
	}
	check("again", c.put(texts), Same, never)
	// A person changes one, empties one and removes one.
	touch(t, filepath.Join(photos, "a.txt"), "By hand")
	touch(t, filepath.Join(photos, "-dash.txt"), "")
	if err := os.Remove(filepath.Join(photos, "sub/é.txt")); err != nil {
		t.Fatal(err)
	}
	for name := range texts {
		texts[name] += ", anew"
	}
	never["a.txt"], never["-dash.txt"] = Theirs, Theirs
	check("anew", c.put(texts), Written, never)
	if got := content(t, filepath.Join(photos, "a.txt")); got != "By hand" {
		t.Errorf("%q", got)
	}
	delete(never, "linked.txt") // not recorded, so not looked at
	check("dry removal", dry.removed(), Removed, never)
	check("removal", c.removed(), Removed, never)
	left := []string{}
	for _, pattern := range []string{"*.txt", "*/*.txt", ".photodesc*", "*/.photodesc*"} {
		found, err := filepath.Glob(filepath.Join(photos, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			left = append(left, filepath.Base(f))
		}
	}
	slices.Sort(left)
	if !slices.Equal(left, []string{"-dash.txt", "a.txt", "linked.txt", "theirs.txt"}) {
		t.Errorf("%q are left", left)
	}
}

// The same words, written by hand, stay when the files are removed.
func TestSidecarsSameByHand(t *testing.T) {
	photos := t.TempDir()
	touch(t, filepath.Join(photos, "a.jpg"), "photo")
	touch(t, filepath.Join(photos, "a.txt"), "A dog.\n")
	c := newCaptions(t, ledger(t, t.TempDir()), photos, "")
	if got := c.put(map[string]string{"a.jpg": "A dog."}); got["a.txt"] != Same {
		t.Error(got)
	}
	if got := c.removed(); len(got) > 0 {
		t.Error(got)
	}
	if content(t, filepath.Join(photos, "a.txt")) != "A dog.\n" {
		t.Error("it was removed")
	}
}

func TestSidecarsMirror(t *testing.T) {
	mirror := filepath.Join(t.TempDir(), "mirror")
	l := ledger(t, t.TempDir())
	c := newCaptions(t, l, "", mirror)
	if got := c.put(map[string]string{"a/b/c.jpg": "x", " a.jpg": "x", "a/d.jpg": "x", "!/e.jpg": "x", "z.jpg": "x"}); got["a/b/c.txt"] != Written || len(got) != 5 {
		t.Error(got)
	}
	touch(t, filepath.Join(mirror, "a/person.txt"), "x")
	c.removed()
	found := []string{}
	err := filepath.WalkDir(mirror, func(path string, _ os.DirEntry, err error) error {
		found = append(found, strings.TrimPrefix(path, mirror))
		return err
	})
	if err != nil || !slices.Equal(found, []string{"", "/a", "/a/person.txt"}) {
		t.Errorf("%q, %v", found, err)
	}
	if err := os.Remove(filepath.Join(mirror, "a/person.txt")); err != nil {
		t.Fatal(err)
	}
	c.removed()
	if _, err := os.Stat(mirror); err == nil {
		t.Error("the folder that was made is left")
	}
	// A folder that was there stays.
	there := t.TempDir()
	c = newCaptions(t, l, "", there)
	c.put(map[string]string{"a/b.jpg": "x"})
	c.removed()
	if left, err := os.ReadDir(there); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// A kill after the files were recorded and before they, or some of them, were written.
func TestSidecarsKilled(t *testing.T) {
	photos := t.TempDir()
	l := ledger(t, t.TempDir())
	texts := map[string]string{}
	for i := range perBatch + 3 {
		name := fmt.Sprintf("%04d.jpg", i)
		touch(t, filepath.Join(photos, name), "photo")
		texts[name] = "first"
	}
	c := newCaptions(t, l, photos, "")
	c.put(texts)
	for range 2 { // killed twice
		var entries []Entry
		before := SumOf([]byte("first\n"))
		for name := range texts {
			entries = append(entries, Entry{c.key(Beside(name, ".txt", false)), SumOf([]byte("second\n")), &before})
		}
		if err := l.Record(context.Background(), entries...); err != nil {
			t.Fatal(err)
		}
	}
	touch(t, filepath.Join(photos, "0000.txt"), "second\n")
	touch(t, filepath.Join(photos, c.partName()), "half a fi")
	for name := range texts {
		texts[name] = "third"
	}
	for file, o := range c.put(texts) {
		if o != Written {
			t.Fatalf("%s: %d", file, o)
		}
	}
	if got := c.removed(); len(got) != len(texts) || got["0000.txt"] != Removed {
		t.Errorf("%d files", len(got))
	}
	if left, err := filepath.Glob(filepath.Join(photos, ".*")); err != nil || len(left) > 0 {
		t.Errorf("%q, %v", left, err)
	}
}

// A person saves a file between our looking at it and our writing.
func TestSidecarsChangedMeanwhile(t *testing.T) {
	photos := t.TempDir()
	place := filepath.Join(photos, "a.txt")
	touch(t, filepath.Join(photos, "a.jpg"), "photo")
	c := newCaptions(t, ledger(t, t.TempDir()), photos, "")
	ctx := context.Background()
	for _, old := range []bool{false, true} {
		x := sidecar{photo: "a.jpg", file: "a.txt", text: []byte(fmt.Sprintf("ours %v\n", old))}
		if o, err := c.look(ctx, &x); o != Written || err != nil {
			t.Fatal(o, err)
		}
		touch(t, place, "a person's, and longer than ours")
		if o, err := c.write(ctx, &x); o != Theirs || err != nil {
			t.Errorf("%d, %v", o, err)
		}
		if got := content(t, place); got != "a person's, and longer than ours" {
			t.Errorf("%q", got)
		}
		if err := os.Remove(place); err != nil {
			t.Fatal(err)
		}
		c.put(map[string]string{"a.jpg": "ours"})
	}
}

func TestLedgerLock(t *testing.T) {
	dir := t.TempDir()
	unlock, err := ledger(t, dir).Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger(t, dir).Lock(); err != ErrBusy {
		t.Error(err)
	}
	unlock()
	unlock, err = ledger(t, dir).Lock()
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

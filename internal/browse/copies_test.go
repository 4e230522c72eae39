package browse

import (
	"encoding/json"
	"strings"
	"testing"

	"photodesc/tracker"
)

// Duplicates and photos that are gone: filters, a photo's page, and searches.
func TestCopies(t *testing.T) {
	pictured := func(path, words, picture, of string) tracker.Record {
		r := tracker.Record{Path: path, Description: words, File: &tracker.PhotoFile{Size: 1, Picture: picture}, Of: of}
		if of != "" {
			r.Via = tracker.ViaDuplicate
		}
		return r
	}
	p := newTestPage(t, pictured("a.jpg", "a dog", "1", ""), pictured("b/a.jpg", "a dog", "1", "a.jpg"), pictured("c.jpg", "a cat", "2", ""),
		pictured("d.jpg", "a dog", "1", "a.jpg"), pictured("old.jpg", "an old dog", "3", ""))
	if err := tracker.WriteGone(p.dir, []string{"old.jpg"}, nil); err != nil {
		t.Fatal(err)
	}
	want := func(query string, paths ...string) {
		t.Helper()
		var ids []string
		for _, path := range paths {
			ids = append(ids, p.id(path))
		}
		if got := p.listed(query); strings.Join(got, " ") != strings.Join(ids, " ") {
			t.Errorf("%q: %v, want %v (%v)", query, got, ids, paths)
		}
	}
	shown := func(path string, j *photoJSON) {
		t.Helper()
		_, body := p.get(p.visitor, p.s.base()+"/api/photo/"+p.id(path), nil)
		if err := json.Unmarshal([]byte(body), j); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	check := func(when, original string) {
		t.Helper()
		want("order=path&copies", "b/a.jpg", "d.jpg")
		want("gone", "old.jpg")
		want("q=old")
		want("q=old&gone", "old.jpg")
		if got := p.listed("q=dog"); len(got) != 1 {
			t.Errorf("%s: a search shows %d of three that are alike", when, len(got))
		}
		want("order=path&q=dog&copies", "d.jpg", "b/a.jpg")
		if f := p.s.s.library.facets(); f.Photos != 4 || f.Copies != 2 || f.Gone != 1 {
			t.Errorf("%s: %+v", when, f)
		}
		var j photoJSON
		shown("d.jpg", &j)
		var same []string
		for _, o := range j.Same {
			same = append(same, o.Path)
		}
		if got := strings.Join(same, " "); got != original+" b/a.jpg" || j.SameCount != 2 || j.Gone {
			t.Errorf("%s: the same as d.jpg are %q of %d", when, got, j.SameCount)
		}
		j = photoJSON{}
		shown("old.jpg", &j)
		if !j.Gone || j.SameCount != 0 {
			t.Errorf("%s: %+v", when, j)
		}
	}
	check("at first", "a.jpg")
	moved := pictured("new/a.jpg", "a dog", "1", "")
	moved.Via, moved.From = tracker.ViaMoved, "a.jpg"
	p.write(moved, tracker.Record{Path: "a.jpg", Status: tracker.Forgotten})
	check("when the original was moved", "new/a.jpg")
	p.s.s.library.reset()
	check("when all is read at once", "new/a.jpg")
	p.write(pictured("new/a.jpg", "a tree", "9", ""))
	var j photoJSON
	shown("new/a.jpg", &j)
	if len(j.Same) != 0 {
		t.Errorf("another picture has copies: %+v", j.Same)
	}
}

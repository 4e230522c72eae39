package browse

import (
	"net/http"
	"strings"
	"testing"

	"photodesc/tracker"
)

// TestForgotten: a photo that was moved is shown once, under its new path.
func TestForgotten(t *testing.T) {
	p := newTestPage(t, tracker.Record{Path: "a.jpg", Description: "a dog"}, tracker.Record{Path: "b.jpg", Description: "a cat"})
	if n := len(p.listed("")); n != 2 {
		t.Fatalf("%d photos", n)
	}
	old := p.id("a.jpg")
	p.write(tracker.Record{Path: "new/a.jpg", Description: "a dog", From: "a.jpg", Via: tracker.ViaMoved}, tracker.Record{Path: "a.jpg", Status: tracker.Forgotten})
	check := func(p *testPage, when string) {
		t.Helper()
		for _, query := range []string{"", "order=path", "order=done"} {
			got := strings.Join(p.listed(query), " ")
			if strings.Contains(got, old) || !strings.Contains(got, p.id("new/a.jpg")) || len(strings.Fields(got)) != 2 {
				t.Errorf("%s, %q: %s", when, query, got)
			}
		}
		if f := p.s.s.library.facets(); f.Photos != 2 || f.Failed != 0 {
			t.Errorf("%s: %+v", when, f)
		}
		if code, _ := p.get(p.visitor, p.s.base()+"/api/photo/"+old, nil); code != http.StatusNotFound {
			t.Errorf("%s: the old path answers with %d", when, code)
		}
	}
	check(p, "when it is moved")
	p.s.s.library.reset()
	check(p, "when all is read at once")
	p.write(tracker.Record{Path: "a.jpg", Description: "another dog"})
	if got := p.listed(""); len(got) != 3 || p.id("a.jpg") != old {
		t.Errorf("described under the old path again: %s", got)
	}
}

package browse

import (
	"testing"

	"photodesc/tracker"
)

// TestFilteredSearch finds photos that fit the filters beyond as many matches as are shown.
func TestFilteredSearch(t *testing.T) {
	p := newLimitedPage(t, limits{shown: 2, filtered: 100}, tracker.Record{Path: "a.jpg", Description: "a dog", Keywords: []string{"rare"}},
		tracker.Record{Path: "b.jpg", Description: "a dog"}, tracker.Record{Path: "c.jpg", Description: "a dog"}, tracker.Record{Path: "d.jpg", Description: "a dog"})
	if got := p.listed("q=dog"); len(got) != 2 {
		t.Errorf("%d are shown", len(got))
	}
	if got := p.listed("q=dog&keyword=rare"); len(got) != 1 || got[0] != p.id("a.jpg") {
		t.Errorf("with a filter: %s", got)
	}
	if got := p.listed("q=dog&from=2000-01-01"); len(got) != 2 {
		t.Errorf("%d are shown with a filter", len(got))
	}
}

package tracker

import "testing"

// TestShareNamesAnother shares words along chains: the original is named, and no photo is named as its own.
func TestShareNamesAnother(t *testing.T) {
	for _, c := range []struct {
		name     string
		path     string
		of       Record
		original string
	}{
		{"of the original", "copy.jpg", Record{Path: "a.jpg"}, "a.jpg"},
		{"of another copy", "copy.jpg", Record{Path: "b.jpg", Via: ViaDuplicate, Of: "a.jpg"}, "a.jpg"},
		{"the original came back", "a.jpg", Record{Path: "b.jpg", Via: ViaDuplicate, Of: "a.jpg"}, "b.jpg"},
	} {
		r := Record{Path: c.path}
		r.Share(&c.of)
		if r.Of != c.original || r.Via != ViaDuplicate {
			t.Errorf("%s: %q via %q, want %q", c.name, r.Of, r.Via, c.original)
		}
	}
}

package main

import "testing"

// What a run waits for is said with each sample of memory, too.
func TestSourceWaits(t *testing.T) {
	for _, c := range []struct {
		name  string
		waits *bucketWaits
		want  string
	}{
		{"a dry run", nil, ""},
		{"nothing", &bucketWaits{}, ""},
		{"the storage", &bucketWaits{storage: "the photos to come back"}, "the photos to come back"},
		{"room", &bucketWaits{disk: "room on the disk"}, "room on the disk"},
		{"both", &bucketWaits{storage: "the photos to come back", disk: "room on the disk"}, "the photos to come back"},
	} {
		if got := sourceWaits(&runner{source: &bucketPhotos{waits: c.waits}}); got != c.want {
			t.Errorf("%s: waits for %q, want %q", c.name, got, c.want)
		}
	}
	if got := sourceWaits(&runner{source: folderPhotos("")}); got != "" {
		t.Errorf("a folder waits for %q", got)
	}
}

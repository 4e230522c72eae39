package browse

import (
	"testing"
	"time"

	"photodesc/tracker"
)

// The page has the dates that were read of photos described by version 0.1, also while it is open.
func TestOldDates(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := newTestPage(t, tracker.Record{Path: "a.jpg", Description: "a dog", Time: at})
	if j := p.photo("a.jpg"); j.Taken != "" {
		t.Errorf("%+v", j)
	}
	before := p.s.s.library.current()
	if err := tracker.AddFacts(p.dir, []tracker.FileFacts{{Path: "a.jpg", ModTime: at.AddDate(-7, 0, 0), Taken: "2019-07-14T12:30:05", Camera: "Canon"}}); err != nil {
		t.Fatal(err)
	}
	if j := p.photo("a.jpg"); j.Taken != "2019-07-14T12:30:05" || j.Camera != "Canon" {
		t.Errorf("%+v", j)
	}
	l := p.s.s.library
	year := view{from: time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), to: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix()}
	if l.current() == before || len(l.list(year, nil)) != 1 {
		t.Error("the date does not count in the filter")
	}
}

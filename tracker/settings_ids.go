package tracker

import (
	"cmp"
	"slices"
)

// settingsIDs number the settings that descriptions were made with, by ID. Number 0
// is "not known": of a photo whose result line is gone, and of all beyond
// maxSettingsIDs.
type settingsIDs struct {
	ids     []string
	photos  []int // described with each
	numbers map[string]int
}

func newSettingsIDs() *settingsIDs {
	return &settingsIDs{ids: []string{""}, photos: []int{0}, numbers: map[string]int{"": 0}}
}

// number is that of an ID, which may lie inside a line.
func (o *settingsIDs) number(id []byte) int {
	if n, known := o.numbers[string(id)]; known {
		return n
	}
	n := len(o.ids)
	if n > maxSettingsIDs {
		return 0
	}
	name := string(id)
	o.ids, o.photos, o.numbers[name] = append(o.ids, name), append(o.photos, 0), n
	return n
}

// Changed are the photos that were described with settings other than a run's.
type Changed struct {
	Photos int
	From   []DescribedWith // of most photos first

	of   *Tracker
	same []bool
}

// Has says whether a photo is one of them.
func (c Changed) Has(path string) bool {
	k := keyOf(path)
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	m := c.of.photos[k]
	if !m.described() || c.same[m.settingsID()] {
		return false
	}
	f, failed := c.of.refailed[k]
	return !failed || !c.same[f.settingsID]
}

// DescribedWith are the settings that some photos were described with.
type DescribedWith struct {
	Photos   int
	Settings Settings // nil when their file is gone
}

// Changed says which photos were described with other settings than s, and are
// not known to have failed with s since.
func (t *Tracker) Changed(s Settings) Changed {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := Changed{of: t}
	c.same = t.compare(s, func(photos int, old Settings) {
		if photos > 0 {
			c.From = append(c.From, DescribedWith{photos, old})
			c.Photos += photos
		}
	})
	slices.SortStableFunc(c.From, func(a, b DescribedWith) int { return cmp.Compare(b.Photos, a.Photos) })
	c.Photos -= len(failedSince(t, c.same))
	return c
}

// compare says of the number of each ID whether its settings are the same as s, and calls
// other for those that are not. t.mu is held.
func (t *Tracker) compare(s Settings, other func(photos int, old Settings)) (same []bool) {
	same = make([]bool, len(t.settingsIDs.ids))
	same[0] = true // nobody knows better
	id := s.ID()
	for n, have := range t.settingsIDs.ids {
		if n == 0 || s.known() && have == id {
			same[n] = true
			continue
		}
		old, _ := readSettings(t.dir, have) // nil when their file is gone
		if old != nil && !s.known() {
			same[n] = len(s.Differences(old)) == 0
		}
		if !same[n] {
			other(t.settingsIDs.photos[n], old)
		}
	}
	return same
}

// refailure is the failure of a photo that had been described with other
// settings before.
type refailure struct {
	why        Failure
	settingsID int
}

// failedSince are the photos that are described with other settings and failed
// with these since. t.mu is held.
func failedSince(t *Tracker, same []bool) (list []key) {
	for k, f := range t.refailed {
		if same[f.settingsID] && !same[t.photos[k].settingsID()] {
			list = append(list, k)
		}
	}
	return list
}

// Use says with which settings the run describes; result lines carry their ID.
// With again, photos described with others are no longer Done. It must come
// before the first Add, once.
func (t *Tracker) Use(s Settings, again bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settings, t.id = s, s.ID()
	t.settingsID = t.settingsIDs.number([]byte(t.id))
	stale := 0
	t.same = t.compare(s, func(photos int, _ Settings) { stale += photos })
	t.again = again
	since := failedSince(t, t.same)
	for _, k := range since {
		if t.retry {
			t.retrying[k] = t.refailed[k].why
		} else {
			t.failures[k] = t.refailed[k].why
		}
	}
	if !again {
		stale = len(since)
	}
	t.counts.Done -= stale
	t.counts.Shared = t.countShared()
	t.counts.Failed, t.counts.Retrying = len(t.failures), len(t.retrying)
	if t.live != nil {
		t.live.setCounts(t.counts)
	}
}

// SettingsID is the ID of the settings that Use was told.
func (t *Tracker) SettingsID() string { return t.id }

// done says of a photo whether nothing is left to do. t.mu is held.
func (t *Tracker) done(k key) bool {
	m := t.photos[k]
	if !m.described() {
		return false
	}
	if t.same == nil || t.same[m.settingsID()] {
		return true
	}
	if t.again {
		return false
	}
	_, failed := t.failures[k]
	_, retrying := t.retrying[k]
	return !failed && !retrying
}

package browse

import (
	"os"
	"path/filepath"
	"time"

	"photodesc/tracker"
)

// corrected is what is known of the corrections, read again when their file has changed.
type corrected struct {
	all     *tracker.Corrections
	size    int64
	changed time.Time
}

// readCorrections brings the corrections up to date. l.mu is held.
func (l *library) readCorrections() error {
	size, changed := int64(-1), time.Time{}
	if info, err := os.Stat(filepath.Join(l.dir, tracker.OutputsName, tracker.CorrectionsName)); err == nil {
		size, changed = info.Size(), info.ModTime()
	}
	if l.corrections.all != nil && size == l.corrections.size && changed.Equal(l.corrections.changed) {
		return nil
	}
	all, err := tracker.ReadCorrections(l.dir)
	if err != nil {
		return err
	}
	l.corrections = corrected{all, size, changed}
	for _, e := range l.photos {
		if l.correct(e) {
			l.version++
		}
	}
	return nil
}

// correct applies the newest correction to an entry: its keywords are those of the person. It
// reports whether anything may have changed. l.mu is held.
func (l *library) correct(e *entry) bool {
	c, ok := l.corrections.all.Of(e.path)
	if !ok && !e.corrected {
		return false
	}
	r, err := tracker.RecordAt(l.dir, e.file, e.end)
	if err != nil {
		return false // update notices that the outputs were changed
	}
	p := tracker.Photo{Record: r}
	if ok {
		p = c.Apply(r)
	}
	e.corrected, e.keywords = p.Corrected(), l.wordsOf(p.Keywords)
	return true
}

// photo returns all that is known of a photo.
func (l *library) photo(e *entry) (tracker.Photo, error) {
	r, err := tracker.RecordAt(l.dir, e.file, e.end)
	if err != nil {
		return tracker.Photo{}, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	l.old.fill(&r)
	if l.corrections.all == nil {
		return tracker.Photo{Record: r}, nil
	}
	return l.corrections.all.Apply(r), nil
}

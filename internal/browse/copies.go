package browse

import (
	"slices"
	"strings"

	"photodesc/tracker"
)

// This file knows which photos have the same picture and words, and which are gone from the photo folder.

// copies are the duplicates by the path of the photo whose words they have. Entries that count no more are left out when they are read.
type copies map[string][]*entry

func (c copies) add(e *entry) {
	if e.original != "" {
		c[e.original] = append(c[e.original], e)
	}
}

// renamed follows a photo that was moved.
func (c copies) renamed(from, to string) {
	for _, e := range c[from] {
		e.original = to
	}
	if list := append(c[to], c[from]...); len(list) > 0 {
		c[to] = list
	}
	delete(c, from)
}

// sameJSON is another photo with the same picture.
type sameJSON struct {
	ID   string `json:"id"`
	Path string `json:"path"`
}

// maxSame is how many photos with the same picture a photo's page lists.
const maxSame = 20

// same lists photos with the same picture and words as another, and says how many there are. A photo that was changed since is not
// one of them.
func (l *library) same(e *entry, picture string) (list []sameJSON, all int) {
	l.mu.RLock()
	root := e.original
	if root == "" {
		root = e.path
	}
	var others []*entry
	for _, other := range append([]*entry{l.byPath[root]}, l.copies[root]...) {
		if other != nil && other != e && l.byID[other.id] == other && !l.gone.Has(other.path) && !slices.Contains(others, other) {
			others = append(others, other)
		}
	}
	l.mu.RUnlock()
	for _, other := range others {
		if len(list) < maxSame {
			r, err := tracker.RecordAt(l.dir, other.file, other.end)
			if err != nil || r.File == nil || r.File.Picture != picture {
				continue
			}
			list = append(list, sameJSON{other.id.String(), strings.ToValidUTF8(other.path, "\ufffd")})
		}
		all++
	}
	return list, all
}

// readGone reads the list of photos that are gone, where that is another one. l.mu is held.
func (l *library) readGone() {
	if mark := tracker.GoneMark(l.dir); mark != l.goneMark || l.gone == nil {
		l.gone, l.goneMark = tracker.ReadGone(l.dir), mark
		l.version++
	}
}

// isGone is whether a photo is gone from the photo folder.
func (l *library) isGone(e *entry) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.gone.Has(e.path)
}

// hidden are the paths of the photos that a view without gone photos leaves out.
func (l *library) hidden() []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.gone.Paths()
}

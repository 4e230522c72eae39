package browse

import (
	"cmp"
	"slices"
	"strings"

	"photodesc/tracker"
)

// facets is what photos can be narrowed by.
type facets struct {
	Photos    int      `json:"photos"`
	Failed    int      `json:"failed"`
	Corrected int      `json:"corrected"`
	Copies    int      `json:"copies"`   // photos with the words of another that has the same picture
	Gone      int      `json:"gone"`     // not in the photo folder any more; in no other number
	Folders   []count  `json:"folders"`  // in the order of their names; each with those below it
	Keywords  []count  `json:"keywords"` // the most frequent ones first
	Dates     [2]int64 `json:"dates"`    // Unix seconds of the first and the last photo; 0 without photos
}

// count is a name and how many photos have it.
type count struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// Bounds of what is listed; a page cannot show more to a person.
const (
	maxFolders  = 5000
	maxKeywords = 1000
)

// facets counts folders and keywords.
func (l *library) facets() facets {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var f facets
	folders, words := map[string]int{}, make([]int, len(l.words))
	for _, e := range l.photos {
		if l.gone.Has(e.path) {
			f.Gone++
			continue
		}
		f.Photos++
		if e.original != "" {
			f.Copies++
		}
		if e.failed {
			f.Failed++
		}
		if e.corrected {
			f.Corrected++
		}
		folders[e.folder]++
		for _, w := range e.keywords {
			words[w]++
		}
		if d := e.date(); f.Dates[0] == 0 || d < f.Dates[0] {
			f.Dates[0] = d
		}
		f.Dates[1] = max(f.Dates[1], e.date())
	}
	below := map[string]int{}
	for name, n := range folders {
		for name != "" {
			below[name] += n
			name, _ = parent(name)
		}
	}
	for name, n := range below {
		f.Folders = append(f.Folders, count{tracker.EncodePath(name), n})
	}
	slices.SortFunc(f.Folders, func(a, b count) int { return strings.Compare(a.Name, b.Name) })
	f.Folders = f.Folders[:min(len(f.Folders), maxFolders)]
	for w, n := range words {
		if n > 0 {
			f.Keywords = append(f.Keywords, count{l.words[w], n})
		}
	}
	slices.SortFunc(f.Keywords, func(a, b count) int { return cmp.Or(b.N-a.N, strings.Compare(a.Name, b.Name)) })
	f.Keywords = f.Keywords[:min(len(f.Keywords), maxKeywords)]
	return f
}

// parent is the folder that a folder lies in, "" for the photo folder.
func parent(folder string) (string, string) {
	if i := strings.LastIndexByte(folder, '/'); i >= 0 {
		return folder[:i], folder[i+1:]
	}
	return "", folder
}

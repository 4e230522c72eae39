package photo

import (
	"cmp"
	"slices"
)

// LeftOut counts what a walk found and left out.
type LeftOut struct {
	// Names are files that look like photos, by how their names end.
	Names []Tally
	// Cloud are placeholders of photos that are not here, by the service that
	// has them.
	Cloud []Tally
	// Folders belong to programs, or are hidden; by the rule that says so.
	Folders []Tally
	// Excluded are "files" and "folders" that patterns leave out.
	Excluded []Tally
}

// Tally counts things of a kind.
type Tally struct {
	Of    string // the kind
	Count int
	First string // the path of the first, relative to the photo folder
}

// maxKinds bounds how many kinds of a list are told apart.
const maxKinds = 40

const (
	otherKinds      = "other"
	excludedFiles   = "files"
	excludedFolders = "folders"
)

// addTally counts a thing; one beyond maxKinds kinds is of otherKinds.
func addTally(list []Tally, of, path string) []Tally {
	find := func(of string) int {
		return slices.IndexFunc(list, func(t Tally) bool { return t.Of == of })
	}
	i := find(of)
	if i < 0 && len(list) >= maxKinds-1 {
		of = otherKinds
		i = find(of)
	}
	if i < 0 {
		return append(list, Tally{of, 1, path})
	}
	list[i].Count++
	return list
}

// sort brings the most frequent to the front.
func (l *LeftOut) sort() {
	for _, list := range [][]Tally{l.Names, l.Cloud, l.Folders, l.Excluded} {
		slices.SortFunc(list, func(a, b Tally) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Of, b.Of))
		})
	}
}

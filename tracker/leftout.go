package tracker

import "slices"

// LeftOut is what the last walk through the photo folder left out.
type LeftOut struct {
	// Names are files that look like photos, by how their names end.
	Names []LeftOutKind `json:"names,omitempty"`
	// Cloud are placeholders of photos that are not in the folder, by the
	// service that has them.
	Cloud []LeftOutKind `json:"cloud,omitempty"`
	// Folders belong to programs, or are hidden; by the rule that says so.
	Folders []LeftOutKind `json:"folders,omitempty"`
	// Excluded are "files" and "folders" that patterns leave out.
	Excluded []LeftOutKind `json:"excluded,omitempty"`
}

// LeftOutKind counts what was left out for one reason.
type LeftOutKind struct {
	Of    string `json:"of"`
	Count int    `json:"count"`
	First string `json:"first,omitempty"` // path below the photo folder, EncodePath'd, unless it is very long
}

// maxLeftOutKinds bounds each list of a state file that is read.
const maxLeftOutKinds = 64

// clamp removes what no walk writes from a value that was read from a file.
func (l *LeftOut) clamp() {
	for _, list := range []*[]LeftOutKind{&l.Names, &l.Cloud, &l.Folders, &l.Excluded} {
		*list = slices.DeleteFunc(*list, func(k LeftOutKind) bool { return k.Count < 1 })
		*list = (*list)[:min(len(*list), maxLeftOutKinds)]
	}
}

// IsZero reports whether nothing was left out.
func (l LeftOut) IsZero() bool { return len(l.Names)+len(l.Cloud)+len(l.Folders)+len(l.Excluded) == 0 }

// LeftOut returns what SetLeftOut was given last, with its paths encoded.
func (l *Live) LeftOut() LeftOut {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.s.LeftOut
}

// maxFirst bounds the paths kept, in bytes, so that the state file stays small.
const maxFirst = 512

// SetLeftOut records what the walk left out, in place of an earlier walk's. The paths
// are not encoded.
func (l *Live) SetLeftOut(o LeftOut) {
	for _, list := range []*[]LeftOutKind{&o.Names, &o.Cloud, &o.Folders, &o.Excluded} {
		*list = slices.Clone(*list)
		for i := range *list {
			k := &(*list)[i]
			if k.First = EncodePath(k.First); len(k.First) > maxFirst {
				k.First = ""
			}
		}
	}
	l.change(func(s *state) { s.LeftOut = o })
}

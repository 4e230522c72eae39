package storage

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"

	"photodesc/internal/fsutil"
)

// Links collects the targets of links among the photos. Workers may read only the
// photo folder and these files and folders.
type Links struct {
	root  string // without links
	files map[string]bool
}

// maxLinks is the largest size in bytes of the list of paths that a worker gets.
const maxLinks = 48 << 10

// NewLinks returns an empty list for the photo folder root.
func NewLinks(root string) *Links {
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	return &Links{root, map[string]bool{}}
}

// Add adds the target of a link, unless it is in the photo folder.
func (l *Links) Add(path string) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil || fsutil.Below(real, l.root) {
		return // a target that is missing is reported when the photo is opened
	}
	l.files[real] = true
}

// Paths returns the targets. If the list would be too long, it has the folders of
// the files instead, or else only the root of the file system.
func (l *Links) Paths() []string {
	all := slices.Sorted(maps.Keys(l.files))
	if !shortList(all) {
		for i, p := range all {
			all[i] = filepath.Dir(p)
		}
		slices.Sort(all)
		all = slices.Compact(all)
	}
	if !shortList(all) {
		return []string{"/"}
	}
	return all
}

// shortList reports whether the list, in JSON as it is sent, is within maxLinks.
func shortList(paths []string) bool {
	b, err := json.Marshal(RawPaths(paths))
	return err == nil && len(b) <= maxLinks
}

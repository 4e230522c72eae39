package storage

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
)

// Links gathers what links among the photos lead to, because workers are
// allowed to read nothing but the photo folder and that.
type Links struct {
	root  string // without links
	files map[string]bool
}

// maxLinks is how many bytes of paths a worker is given.
const maxLinks = 48 << 10

func NewLinks(root string) *Links {
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	return &Links{root, map[string]bool{}}
}

func (l *Links) Add(path string) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil || below(real, l.root) {
		return // what cannot be found is told when it is opened
	}
	l.files[real] = true
}

// Paths is where the links lead: the very files, their folders when that would
// be too long a list, or the whole disk.
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

// shortList looks at the list as it is sent, where a byte may become five.
func shortList(paths []string) bool {
	b, err := json.Marshal(RawPaths(paths))
	return err == nil && len(b) <= maxLinks
}

package watch

import (
	"errors"
	"fmt"
	"io/fs"
)

// Places are the folders that may go away on their own: the photo folder, what is mounted below it, and what links in it lead to.
type Places struct {
	root  string
	fsys  FS
	known map[string]place
}

type place struct {
	info fs.FileInfo
	link bool
}

// NewPlaces knows the photo folder only.
func NewPlaces(root string, fsys FS) *Places {
	p := &Places{root: root, fsys: fsys, known: map[string]place{}}
	p.learn(root)
	return p
}

// Learn adds what a walk has found. A place in which nothing is cannot be told from one that is away, and is not known.
func (p *Places) Learn(paths []string) {
	for _, path := range paths {
		if _, known := p.known[path]; !known {
			p.learn(path)
		}
	}
}

func (p *Places) learn(path string) {
	info, err := p.fsys.Stat(path)
	if err != nil || p.empty(path) {
		return
	}
	at, err := p.fsys.Lstat(path)
	p.known[path] = place{info, path != p.root && err == nil && at.Mode()&fs.ModeSymlink != 0}
}

// empty is whether there is nothing in a folder. One that cannot be read is not empty.
func (p *Places) empty(path string) bool {
	found := false
	err := p.fsys.List(path, func(fs.DirEntry) bool {
		found = true
		return false
	})
	return err == nil && !found
}

// Away says which places are not there, and why. A folder that is another one than before counts as away if it is empty, as the one
// below a disk that was unmounted. A link that was removed is no place any more.
func (p *Places) Away() (why map[string]error) {
	why = map[string]error{}
	if _, known := p.known[p.root]; !known { // it was empty
		if _, err := p.fsys.Stat(p.root); err != nil {
			why[p.root] = reason(p.root, err)
		}
	}
	for path, before := range p.known {
		now, err := p.fsys.Stat(path)
		if err != nil && before.link {
			if _, gone := p.fsys.Lstat(path); errors.Is(gone, fs.ErrNotExist) {
				delete(p.known, path)
				continue
			}
		}
		switch {
		case err != nil:
			why[path] = reason(path, err)
		case !now.IsDir():
			why[path] = fmt.Errorf("%q is not a folder any more", path)
		case p.fsys.Same(before.info, now):
		case p.empty(path):
			why[path] = fmt.Errorf("%q is another folder than before, and empty", path)
		default:
			before.info = now
			p.known[path] = before
		}
	}
	return why
}

func reason(path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("%q: %w", path, err)
}

// Known is whether a place was seen with something in it, now or before.
func (p *Places) Known(path string) bool {
	p.Learn([]string{path})
	_, known := p.known[path]
	return known
}

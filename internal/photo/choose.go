package photo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"photodesc/internal/fsutil"
)

// This file decides what becomes of a file and of a folder: by the patterns of
// the options, by those of IgnoreName, the deepest first, and last by the rules
// of this package.

// choice is what the patterns decide about a file or a folder.
type choice uint8

const (
	undecided choice = iota
	excluded
	included
)

// mayInclude reports whether patterns may bring back files of a folder that its
// listing would pass over.
func (w *walker) mayInclude(f *folder) bool {
	return len(w.Include.list) > 0 || w.Exclude.negating ||
		slices.ContainsFunc(f.ignores, func(i ignoreFile) bool { return i.negating })
}

// addIgnores reads a folder's own IgnoreName.
func (w *walker) addIgnores(f *folder) {
	rel := f.prefix() + IgnoreName
	data, err := w.readSmall(rel, maxIgnore)
	var ps Patterns
	if err == nil {
		ps, err = parseIgnore(data, func(err error) { w.Warn(rel, err) })
	}
	if err != nil {
		w.Warn(rel, Reason(err))
		return
	}
	if len(ps.list) > 0 {
		f.ignores = append(slices.Clip(f.ignores), ignoreFile{ps, f.prefix()})
	}
}

// readSmall reads a file of at most limit bytes.
func (w *walker) readSmall(rel string, limit int64) ([]byte, error) {
	if w.Tree == nil {
		return fsutil.ReadSmall(w.full(rel), limit)
	}
	data, err := w.Tree.ReadHead(w.ctx, rel, int(limit)+1)
	if err == nil && int64(len(data)) > limit {
		err = &fsutil.TooLargeError{Limit: limit}
	}
	return data, err
}

// choose is what patterns say of something in f.
func (w *walker) choose(f *folder, rel string, isFolder bool) choice {
	if w.Include.match(rel, isFolder) == matched {
		return included
	}
	m := w.Exclude.match(rel, isFolder)
	for i := len(f.ignores) - 1; i >= 0 && m == noMatch; i-- {
		m = f.ignores[i].match(rel[len(f.ignores[i].below):], isFolder)
	}
	return [...]choice{noMatch: undecided, matched: excluded, unmatched: included}[m]
}

// leavesOut reports whether a folder is left out, and counts it then.
func (w *walker) leavesOut(f *folder, rel, name string) bool {
	switch w.choose(f, rel, true) {
	case included:
		return false
	case excluded:
		w.out.Excluded = addTally(w.out.Excluded, excludedFolders, rel)
		return true
	}
	path := w.full(rel)
	if w.Tree != nil {
		path = rel
	}
	rule := ruleFor(place{
		path: path, tree: w.Tree, name: strings.ToLower(name),
		parent:      strings.ToLower(filepath.Base(f.real)),
		grandparent: strings.ToLower(filepath.Base(filepath.Dir(f.real))),
		beside:      f.has,
	})
	if rule == "" {
		return false
	}
	w.out.Folders = addTally(w.out.Folders, rule, rel)
	return true
}

// has reports whether there is a folder of that name, in any case, in f.
func (f *folder) has(name string) bool {
	return slices.ContainsFunc(f.entries, func(e entry) bool { return e.typ.IsDir() && strings.EqualFold(e.name, name) })
}

// file decides about a file, by its name and, where that is not enough, by what
// is in it.
func (w *walker) file(f *folder, rel string, e *entry, linked bool) error {
	if !w.Shard.Has(rel) {
		return nil
	}
	found := func() error {
		if linked {
			w.Link(w.full(rel))
		}
		return w.found(rel)
	}
	choice := w.choose(f, rel, false)
	take := e.kind.isPhoto()
	if choice == included && !strings.HasPrefix(e.name, resourceFork) {
		t := treatmentOf(e.name)
		take = t.isPhoto() || t == unread
	}
	regular := e.typ.IsRegular()
	switch {
	case choice == excluded:
		if e.kind.isPhoto() || e.kind == photoOrCounted || e.kind == inCloud {
			w.out.Excluded = addTally(w.out.Excluded, excludedFiles, rel)
		}
	case take && regular:
		return found()
	case take:
		w.Problem(Problem{rel, false, NotRegular(w.full(rel), e.typ)})
	case e.kind == inCloud:
		w.out.Cloud = addTally(w.out.Cloud, serviceOf(e.name), rel)
	case !regular: // nobody would take it for a photo
	case (choice == included || e.kind == photoOrCounted || e.kind == photoIfPicture || e.kind == rawIfPicture) && (w.Known(rel) || w.isPicture(rel, e.kind)):
		return found()
	case e.kind == photoOrCounted || e.kind == unread:
		w.out.Names = addTally(w.out.Names, label(e.name), rel)
	}
	return nil
}

// isPicture opens a file and looks at its beginning. One that cannot be read is
// taken for a picture if its name says no less: describing it tells why.
func (w *walker) isPicture(rel string, kind treatment) bool {
	if w.Tree != nil {
		head, err := w.Tree.ReadHead(w.ctx, rel, SniffLen)
		if err != nil {
			return kind == photoOrCounted
		}
		return hasPicture(head)
	}
	// A file that has become a pipe keeps nobody waiting.
	f, err := os.OpenFile(w.full(rel), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return kind == photoOrCounted && !errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	var head [SniffLen]byte
	n, err := f.ReadAt(head[:], 0)
	if n == 0 && err != nil {
		info, e := f.Stat()
		return kind == photoOrCounted && e == nil && info.Mode().IsRegular() && info.Size() > 0
	}
	return hasPicture(head[:n])
}

package photo

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// paths is a set of paths. It keeps 64 bits of a keyed hash of each: that one of
// a million folders is taken for another happens in one of 10^13 runs.
type paths struct {
	seed maphash.Seed
	set  map[uint64]struct{}
}

func newPaths() paths { return paths{maphash.MakeSeed(), make(map[uint64]struct{})} }

// add reports whether the path is new.
func (p *paths) add(path string) bool {
	before := len(p.set)
	p.set[maphash.String(p.seed, path)] = struct{}{}
	return len(p.set) > before
}

// realPath is a path without links. Where the system cannot tell, it is absolute.
func realPath(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	// From what was given: in "a/../b" a may be a link.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		if real, err = filepath.Abs(real); err == nil {
			return real
		}
	}
	return abs
}

// waitingLink is a link to a folder, which is followed after all that is really
// there.
type waitingLink struct {
	rel     string
	ignores []ignoreFile
}

// followLinks visits what hangs on links. A linked folder may hold further
// links, which join the end.
func (w *walker) followLinks() error {
	for len(w.links) > 0 {
		batch := w.links
		w.links = nil
		slices.SortFunc(batch, func(a, b waitingLink) int { return cmp.Compare(a.rel, b.rel) })
		for _, l := range batch {
			real := realPath(w.full(l.rel))
			if w.skipped[real] || !w.entered.add(real) {
				continue
			}
			w.Link(w.full(l.rel))
			if err := w.folder(folder{rel: l.rel, real: real, ignores: l.ignores, linked: true}); err != nil {
				return err
			}
		}
	}
	return nil
}

// link decides about a link by what it leads to.
func (w *walker) link(f *folder, rel string, e *entry) error {
	info, err := os.Stat(w.full(rel))
	switch {
	case err != nil && (!e.kind.isPhoto() || w.choose(f, rel, false) == excluded):
		return nil // a dead link that nobody would take for a photo
	case err != nil && w.windowsPlaceholder(rel):
		w.out.Cloud = addTally(w.out.Cloud, "OneDrive or another Windows drive", rel)
		return nil
	case errors.Is(err, fs.ErrNotExist):
		w.Problem(Problem{rel, false, Errorf(Unreadable, w.full(rel), "the link leads nowhere")})
		return nil
	case err != nil:
		w.report(rel, false, err)
		return nil
	case info.IsDir():
		if !w.leavesOut(f, rel, e.name) {
			w.links = append(w.links, waitingLink{rel, f.ignores})
		}
		return nil
	}
	to := *e
	to.typ = info.Mode().Type()
	return w.file(f, rel, &to, true)
}

// windowsPlaceholder reports whether a link is how ntfs-3g shows a file that a
// cloud drive of Windows has not downloaded.
func (w *walker) windowsPlaceholder(rel string) bool {
	to, err := os.Readlink(w.full(rel))
	if err != nil {
		return false
	}
	var tag uint32
	// IO_REPARSE_TAG_CLOUD to IO_REPARSE_TAG_CLOUD_F
	n, _ := fmt.Sscanf(strings.ToLower(to), "unsupported reparse tag 0x%x", &tag)
	return n == 1 && tag&0xffff0fff == 0x9000001a
}

package storage

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"photodesc/internal/fsutil"
)

// Absence tells photos that are gone from those that only cannot be seen, because a disk is not mounted or a folder could not be
// read. Its methods may be called concurrently.
type Absence struct {
	root    string
	unknown []string // folders of which nothing is known, relative to the root; "." is all

	mu   sync.Mutex
	dirs map[string]bool // folders, relative to the root, and whether what is not in them is gone
}

// NewAbsence is for the time after a walk through root. mounted are the mount points at its begin, before what [Mounts] gave at an
// earlier walk, and unread the folders that could not be read, relative to root.
func NewAbsence(root string, mounted MountPoints, before, unread []string) *Absence {
	a := &Absence{root: root, unknown: slices.Clone(unread), dirs: map[string]bool{}}
	now := Mounts(root)
	for _, at := range before {
		if !slices.Contains(now, at) {
			a.unknown = append(a.unknown, at)
		}
	}
	for path, info := range mounted {
		if rel, err := filepath.Rel(root, path); err == nil && !sameNow(path, info) {
			a.unknown = append(a.unknown, rel)
		}
	}
	return a
}

// sameNow is whether a folder is the one that it was.
func sameNow(path string, before os.FileInfo) bool {
	now, err := os.Stat(path)
	return err == nil && os.SameFile(before, now)
}

// Certain is whether all folders can be seen.
func (a *Absence) Certain() bool { return len(a.unknown) == 0 }

// Missing is whether there is nothing at a path, relative to the root, in a folder that was read, on a disk that is mounted as far as
// is known.
func (a *Absence) Missing(rel string) bool {
	if slices.ContainsFunc(a.unknown, func(dir string) bool { return dir == "." || fsutil.Below(rel, dir) }) {
		return false
	}
	_, err := os.Lstat(fsutil.Join(a.root, rel))
	return notThere(err)
}

// Gone is whether there certainly is nothing at a path, relative to the root: the folder that it was in, or the one in which that is
// missing, is there and is not empty. In place of a disk that is not mounted there is an empty folder, or none at all.
func (a *Absence) Gone(rel string) bool {
	if !a.Missing(rel) {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tells(parentOf(rel))
}

// tells is whether what is not in a folder is gone. a.mu is held.
func (a *Absence) tells(dir string) (tells bool) {
	known, is := a.dirs[dir]
	if is {
		return known
	}
	defer func() { a.dirs[dir] = tells }()
	path := a.root
	if dir != "." {
		path = fsutil.Join(a.root, dir)
	}
	switch _, err := os.Lstat(path); {
	case err == nil:
	case notThere(err) && dir != ".":
		return a.tells(parentOf(dir))
	default:
		return false
	}
	f, err := os.Open(path) // fails for a link that leads nowhere
	if err != nil {
		return errors.Is(err, syscall.ENOTDIR)
	}
	defer f.Close()
	names, err := f.Readdirnames(1)
	if err != nil && len(names) == 0 {
		return errors.Is(err, syscall.ENOTDIR) // there is a file in its place
	}
	return true
}

func notThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func parentOf(rel string) string {
	if i := strings.LastIndexByte(rel, '/'); i > 0 {
		return rel[:i]
	}
	return "."
}

package storage

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/shirou/gopsutil/v3/disk"

	"photodesc/internal/photo"
	"photodesc/pool"
)

// MountPoints are the folders that photos hang on and that may go away by themselves:
// the photo folder, what is mounted below it, and what links in it lead to. Each
// is as it was when the run began, by its path among the photos.
type MountPoints map[string]os.FileInfo

// NewMountPoints is the photo folder and what is mounted below it.
func NewMountPoints(root string) MountPoints {
	a := MountPoints{}
	a.Add(root)
	mounts, _ := disk.Partitions(true) // of what it cannot tell, less is known
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return a
	}
	for _, m := range mounts {
		if rel, err := filepath.Rel(real, m.Mountpoint); err == nil && below(m.Mountpoint, real) {
			a.Add(filepath.Join(root, rel))
		}
	}
	return a
}

// Add is told a folder, or a link that may lead to one.
func (a MountPoints) Add(path string) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		a[path] = info
	}
}

// unavailable is why the photo at path is out of reach with all others of its disk, nil
// if the folders it hangs on are those of the beginning, or live, because photos
// below them can be read: a disk that is mounted again may be another to the system.
func (a MountPoints) unavailable(path string, lives func(dir string) bool) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if before, ok := a[dir]; ok {
			switch now, err := os.Stat(dir); {
			case err != nil:
				return &pool.UnavailableError{Why: fmt.Sprintf("the folder %q: %v", dir, photo.Reason(err))}
			case os.SameFile(before, now):
			case lives(dir):
				a[dir] = now
			default:
				return &pool.UnavailableError{Why: fmt.Sprintf("%q is another folder than before; is its disk mounted?", dir)}
			}
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

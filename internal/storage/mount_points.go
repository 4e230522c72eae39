package storage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/disk"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/pool"
)

// MountPoints are the folders that may become unavailable on their own: the photo
// folder, what is mounted below it, and the folders that links in it lead to. The
// keys are their paths, the values their state when the run began.
type MountPoints map[string]os.FileInfo

// NewMountPoints returns the photo folder and what is mounted below it.
func NewMountPoints(root string) MountPoints {
	m := MountPoints{}
	m.Add(root)
	for _, rel := range Mounts(root) {
		m.Add(filepath.Join(root, rel))
	}
	return m
}

// ownMounts has gopsutil read what this process sees. Its default is what the first process of the machine sees, which is less, or something
// else, in a mount namespace.
var ownMounts = context.WithValue(context.Background(), common.EnvKey, common.EnvMap{"HOST_PROC_MOUNTINFO": "/proc/self/mountinfo"})

// Mounts lists what is mounted below root, relative to it, and "." where root itself is.
func Mounts(root string) (rels []string) {
	mounts, _ := disk.PartitionsWithContext(ownMounts, true) // returns what it could read, also with an error
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil
	}
	for _, mount := range mounts {
		if rel, err := filepath.Rel(real, mount.Mountpoint); err == nil && fsutil.Below(mount.Mountpoint, real) {
			rels = append(rels, rel)
		}
	}
	return rels
}

// Add adds a folder, or a link if it leads to one.
func (m MountPoints) Add(path string) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		m[path] = info
	}
}

// unavailable returns a *pool.UnavailableError if a mount point above path is
// missing or is another folder than when the run began, for example the empty
// folder below a file system that was unmounted. A disk that was mounted again may
// also have another identity. It is accepted if anyReadable reports that a photo
// below it can be read.
func (m MountPoints) unavailable(path string, anyReadable func(dir string) bool) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if before, ok := m[dir]; ok {
			switch now, err := os.Stat(dir); {
			case err != nil:
				return &pool.UnavailableError{Why: fmt.Sprintf("the folder %q: %v", dir, photo.Reason(err))}
			case os.SameFile(before, now):
			case anyReadable(dir):
				m[dir] = now
			default:
				return &pool.UnavailableError{Why: fmt.Sprintf("%q is another folder than before; is its disk mounted?", dir)}
			}
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

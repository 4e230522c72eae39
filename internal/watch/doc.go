// Package watch decides when a photo folder is to be walked again. It describes nothing and records nothing: the walk, and what
// becomes of photos that came, moved, changed or went, is the caller's.
//
// Looking at the time of change of each folder is cheap, so this is done every minute (Folders). A file that is rewritten in place
// changes no folder, so a walk is due once an hour even if nothing seems to have changed. The system's notifications (Waker) make a
// look come sooner. They are never relied upon: on network file systems they tell nothing of what other machines do, and their number
// is limited.
//
// A new file is described when its size and time have rested (Rest), and photos on a disk that is away are not taken for deleted
// (Places). All intervals are measured with the monotonic clock, so that a clock that is set, or a file from the future, can neither
// hold the watch up nor make it spin. After each look, nine times as long as it took must pass before the next.
package watch

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// FS is the file system below absolute paths. Stat follows links, Lstat does not.
type FS interface {
	Stat(path string) (fs.FileInfo, error)
	Lstat(path string) (fs.FileInfo, error)
	// List calls each with the entries of a folder in any order, until it returns false.
	List(path string, each func(fs.DirEntry) bool) error
	// Same is whether two results of Stat are of the same file.
	Same(a, b fs.FileInfo) bool
}

// OS is the system's file system.
type OS struct{}

// Stat implements FS.
func (OS) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

// Lstat implements FS.
func (OS) Lstat(path string) (fs.FileInfo, error) { return os.Lstat(path) }

// Same implements FS.
func (OS) Same(a, b fs.FileInfo) bool { return os.SameFile(a, b) }

// List implements FS.
func (OS) List(path string, each func(fs.DirEntry) bool) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	for {
		portion, err := d.ReadDir(4096)
		for _, e := range portion {
			if !each(e) {
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || len(portion) == 0 {
			return err
		}
	}
}

// Clock tells the time of day, which may be set, and a time that only goes on.
type Clock struct {
	Wall    func() time.Time
	Elapsed func() time.Duration
}

// SystemClock is the machine's clock; Elapsed counts from now.
func SystemClock() Clock {
	began := time.Now()
	return Clock{Wall: time.Now, Elapsed: func() time.Duration { return time.Since(began) }}
}

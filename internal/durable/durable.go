// Package durable writes files so that they survive a power cut, if the file system
// supports it. exFAT and network file systems (SMB, FUSE) may refuse fsync. The data
// are written all the same, so this is not treated as an error of the disk.
package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

// Unsupported is whether the error of a system call means that the file system does
// not support it. Errors of the disk (EIO, ENOSPC, EDQUOT, EROFS) do not.
func Unsupported(err error) bool {
	for _, refusal := range []syscall.Errno{syscall.EINVAL, syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.ENOTTY, syscall.ENOSYS} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// NoLocks is whether the error of a lock means that the file system has no locks, as
// NFS without its lock service.
func NoLocks(err error) bool { return Unsupported(err) || errors.Is(err, syscall.ENOLCK) }

// Sync waits until what was written to f is on the disk. If the file system cannot do
// this, [Unsupported] is true for the error.
func Sync(f *os.File) error {
	err := f.Sync()
	if Unsupported(err) {
		err = plainSync(f, err)
	}
	return err
}

// WriteFile replaces a file atomically: a reader finds the old or the new content,
// also after a power cut if the file system supports fsync.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	t, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)),
		renameio.WithPermissions(perm), renameio.WithExistingPermissions())
	if err != nil {
		return err
	}
	defer func() { _ = t.Cleanup() }()
	if _, err := t.Write(data); err != nil {
		return err
	}
	err = t.CloseAtomicallyReplace()
	var refused *fs.PathError
	if !errors.As(err, &refused) || refused.Op != "sync" || !Unsupported(err) {
		return err
	}
	// It is whole and open; it was neither synced nor renamed.
	if err := plainSync(t.File, nil); err != nil && !Unsupported(err) {
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	return os.Rename(t.Name(), path)
}

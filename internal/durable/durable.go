// Package durable writes files so that they survive a power cut, on every file
// system that can do so. Some cannot: exFAT and network file systems (SMB,
// FUSE) may refuse fsync. Such a refusal says nothing about the data, so it is
// told from errors of the disk, and the write counts.
package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

// Unsupported is whether the error of a system call says that the file system
// does not have this call. Errors of the disk (EIO, ENOSPC, EDQUOT, EROFS) do
// not.
func Unsupported(err error) bool {
	for _, refusal := range []syscall.Errno{syscall.EINVAL, syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.ENOTTY, syscall.ENOSYS} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// NoLocks is whether the error of a lock says that the file system has none to
// give, as NFS without its lock service.
func NoLocks(err error) bool { return Unsupported(err) || errors.Is(err, syscall.ENOLCK) }

// Sync waits until what was written to f is on the disk. Where the file system
// cannot tell, the error is one for which [Unsupported] is true.
func Sync(f *os.File) error {
	err := f.Sync()
	if Unsupported(err) {
		err = plainSync(f, err)
	}
	return err
}

// WriteFile replaces a file by one with the given content: a reader finds the
// old or the new content, also after a power cut. Where the file system refuses
// to sync, only the latter does not hold.
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

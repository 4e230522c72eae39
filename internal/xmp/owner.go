package xmp

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"photodesc/internal/durable"
)

// keepOwner gives f the mode and, where that is not so already, the owner of like. For a new
// file only root changes the owner, so that people can edit what it makes for them.
func keepOwner(f *os.File, like fs.FileInfo, must bool) error {
	mode := like.Mode().Perm()
	if !must {
		mode &^= 0o111
		mode |= 0o600
	}
	var want, have unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &have); err != nil {
		return err
	}
	if !owner(like, &want) {
		return f.Chmod(mode)
	}
	if want.Uid != have.Uid || want.Gid != have.Gid {
		if err := f.Chown(int(want.Uid), int(want.Gid)); err != nil && must {
			return refuse("it belongs to another user or group, which it would lose: run photodesc as that user")
		}
	}
	return f.Chmod(mode)
}

// owner fills in who owns a file.
func owner(info fs.FileInfo, s *unix.Stat_t) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok {
		s.Uid, s.Gid = stat.Uid, stat.Gid
	}
	return ok
}

// copyAttributes gives f the extended attributes of a file: tags of file managers, access
// lists. What the system keeps to itself is left out.
func copyAttributes(from string, f *os.File) error {
	buf := make([]byte, 64<<10)
	n, err := unix.Llistxattr(from, buf)
	if err != nil {
		if durable.Unsupported(err) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			return nil
		}
		return &fs.PathError{Op: "listxattr", Path: from, Err: err}
	}
	value := make([]byte, 64<<10)
	for name := range strings.SplitSeq(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00") {
		if name == "" || strings.HasPrefix(name, "security.") || strings.HasPrefix(name, "trusted.") || strings.HasPrefix(name, "com.apple.provenance") {
			continue
		}
		v, err := unix.Lgetxattr(from, name, value)
		if err != nil {
			continue // it went meanwhile
		}
		if err := unix.Fsetxattr(int(f.Fd()), name, value[:v], 0); err != nil && !durable.Unsupported(err) {
			return refuse("its attribute %q could not be kept: %v", name, err)
		}
	}
	return nil
}

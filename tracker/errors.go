package tracker

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
)

var (
	// ErrDone is wrapped by Add for a photo that is described already.
	ErrDone = errors.New("already described")
	// ErrClosed is returned by Add after Close.
	ErrClosed = errors.New("the tracker is closed")

	errReplaced = errors.New("the file was moved, removed or replaced while the run was writing to it")
)

// LockedError says that another run holds the workdir.
type LockedError struct {
	Dir   string
	PID   int       // 0 when it cannot be read
	Since time.Time // zero when it cannot be read
}

func (e *LockedError) Error() string { return fmt.Sprintf("%s is working in %q", e.Who(), e.Dir) }

// Who names the other run.
func (e *LockedError) Who() string {
	who := "another run"
	switch {
	case e.PID != 0 && !e.Since.IsZero():
		who = fmt.Sprintf("another run (pid %d, since %s)", e.PID, e.Since.Format(time.DateTime))
	case e.PID != 0:
		who = fmt.Sprintf("another run (pid %d)", e.PID)
	}
	return who
}

// RootError says that the workdir belongs to another photo folder.
type RootError struct {
	Dir  string
	Have string // the folder the workdir belongs to
	Want string // the folder asked for
}

func (e *RootError) Error() string {
	return fmt.Sprintf("workdir %q belongs to the photos in %q, not to those in %q\n"+
		"  choose another workdir with -C OTHER; if the photos were moved, delete %s and run again",
		e.Dir, e.Have, e.Want, StateName)
}

// WriteError says that the run's files cannot be written any more. Results that Add
// has accepted before are on the disk.
type WriteError struct {
	Op   string // "write", "sync", "create" and the like
	Path string
	Err  error
	Need int64 // bytes the rest of the run takes, about; 0 when not known

	again string // what to do again where it is no run that cannot write; "": a run
}

func (e *WriteError) Error() string {
	reason := e.Err
	var pe *fs.PathError
	if errors.As(reason, &pe) {
		reason = pe.Err // the path is said already
	}
	return fmt.Sprintf("cannot %s %q: %v\n  %s", e.Op, e.Path, reason, e.hint())
}

func (e *WriteError) Unwrap() error { return e.Err }

func (e *WriteError) hint() string {
	again := "run again: it goes on where it stopped"
	if e.again != "" {
		again = e.again
	}
	var other *LockedError
	switch {
	case errors.As(e.Err, &other):
		return "the other run goes on with what is left; leave " + LockName + " where it is while a run works"
	case e.again != "" && errors.Is(e.Err, errReplaced):
		return again
	case e.Op == "lock" && durable.NoLocks(e.Err):
		return "its file system has no file locks, without which two runs could describe the same photos: " +
			"put the workdir on a local disk with -C FOLDER (the photos may stay where they are)"
	case errors.Is(e.Err, syscall.ENOSPC) || errors.Is(e.Err, syscall.EDQUOT):
		room := "some space"
		if e.Need > 0 {
			room = "about " + humanize.IBytes(uint64(e.Need))
		}
		return "free " + room + " on the disk of the workdir, then " + again
	case errors.Is(e.Err, syscall.EROFS):
		return "the disk of the workdir is read-only: mount it writable (after an error of the disk, check it first), then " + again
	case errors.Is(e.Err, syscall.EACCES) || errors.Is(e.Err, syscall.EPERM):
		return "make the workdir and its files writable for you, then " + again
	case errors.Is(e.Err, syscall.EIO):
		return "the disk of the workdir reports errors: check it and its cable, then " + again
	case errors.Is(e.Err, errReplaced):
		return "leave the run's files where they are while it works, then " + again
	case errors.As(e.Err, new(*fsutil.NotRegularError)):
		return "move it away, then " + again
	case durable.Unsupported(e.Err):
		return "its file system cannot do this: put the workdir on a local disk with -C FOLDER (the photos may stay where they are)"
	}
	return "see to the disk of the workdir, then " + again
}

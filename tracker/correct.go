package tracker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// correctPatience is how long a correction waits for others that are being written, which takes milliseconds each.
const correctPatience = 10 * time.Second

// Correct keeps a correction; when it returns nil, the line is on the disk. Time and, where it is not known, File may be left
// out. It needs no run and may be called while one works, by several processes at once. The error is a *[CorrectionError]
// for a correction that is refused and a *[WriteError] where the file cannot be written.
func Correct(dir string, c Correction) error {
	_, err := EditCorrection(dir, c.Path, func(before *Correction) { *before = c })
	return err
}

// EditCorrection changes the correction of a path. edit gets the newest one, which is empty where there is none, and no other
// correction is written meanwhile. The correction that now counts is returned. Where there is none and edit makes none, nothing is
// written.
func EditCorrection(dir, path string, edit func(*Correction)) (c Correction, err error) {
	err = EditCorrections(dir, []string{path}, edit, func(kept Correction) { c = kept })
	if err != nil {
		return Correction{}, err
	}
	return c, nil
}

// EditCorrections is EditCorrection for several paths: the corrections are read once, and all lines are written together or,
// with an error, none. edit is called for each path, and kept, which may be nil, with what is then written or counts already.
func EditCorrections(dir string, paths []string, edit func(*Correction), kept func(Correction)) error {
	return editCorrections(&lenientFS{filesystem: osFS{}, refused: func(error) {}}, dir, paths, edit, kept)
}

func editCorrections(disk filesystem, dir string, paths []string, edit func(*Correction), kept func(Correction)) error {
	outputs := filepath.Join(dir, OutputsName)
	if err := os.MkdirAll(outputs, 0o755); err != nil {
		return correctionWrite("create", outputs, err)
	}
	held, err := lockCorrections(correctionsPath(dir))
	if err != nil {
		return err
	}
	defer func() { _ = held.Unlock() }()
	all, err := ReadCorrections(dir)
	if err != nil {
		return err
	}
	var lines []byte
	for _, path := range paths {
		c, changed, err := all.edited(path, edit)
		if err != nil {
			return err
		}
		if changed {
			if lines, err = c.appendLine(lines); err != nil {
				return &CorrectionError{path, err.Error()}
			}
		}
		if kept != nil {
			kept(c)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return appendCorrections(disk, dir, lines)
}

// edited is the correction of a path as edit makes it. Where there is none and edit makes none, nothing has changed.
func (a *Corrections) edited(path string, edit func(*Correction)) (c Correction, changed bool, err error) {
	before, known := a.Of(path)
	before.Path = path
	c = before
	edit(&c)
	if c, err = c.cleaned(); err != nil {
		return c, false, err
	}
	if c.Path != path {
		return c, false, &CorrectionError{path, "the path of a correction cannot be changed"}
	}
	if !known && c.Empty() {
		return c, false, nil
	}
	if c.Time.IsZero() || c.Time.Equal(before.Time) {
		c.Time = time.Now()
	}
	c.Time = c.Time.UTC().Truncate(time.Millisecond)
	return c, true, nil
}

// lockCorrections locks the file with the corrections, which is created where there is none.
func lockCorrections(path string) (*flock.Flock, error) {
	if err := checkRegular(path); err != nil {
		return nil, correctionWrite("open", path, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), correctPatience)
	defer cancel()
	for {
		f := newFlock(path)
		held, err := f.TryLockContext(ctx, 5*time.Millisecond)
		switch {
		case held && presenceOf(f) != removed && presenceOf(f) != replaced:
			return f, nil
		case held:
			_ = f.Unlock()
		case ctx.Err() != nil:
			return nil, fmt.Errorf("another process has been writing corrections to %q for %v\n  try again when it has ended", path, correctPatience)
		default:
			_ = f.Close()
			return nil, correctionWrite("lock", path, err)
		}
	}
}

// appendCorrections adds lines. The file is locked and exists.
func appendCorrections(disk filesystem, dir string, lines []byte) error {
	path := correctionsPath(dir)
	f, err := disk.OpenFile(path, os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return correctionWrite("open", path, err)
	}
	defer f.Close()
	whole, empty, err := endsWhole(path)
	if err != nil {
		return correctionWrite("read", path, err)
	}
	if empty { // it may have been created just now
		if err := disk.SyncDir(filepath.Dir(path)); err != nil {
			return correctionWrite("sync", filepath.Dir(path), err)
		}
	}
	if !whole { // a line was torn; what is left of it stays a line of its own
		lines = append([]byte{'\n'}, lines...)
	}
	var failed *WriteError
	if err := (&appendFile{fs: disk, f: f, path: path}).append(lines); errors.As(err, &failed) {
		failed.corrections = true
		return failed
	}
	return nil
}

// endsWhole is whether a file is empty or ends with a newline.
func endsWhole(path string) (whole, empty bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, false, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return true, true, err
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], size-1)
	return last[0] == '\n', false, err
}

func correctionWrite(op, path string, err error) error {
	return &WriteError{Op: op, Path: path, Err: err, corrections: true}
}

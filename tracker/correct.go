package tracker

import (
	"os"
	"path/filepath"
	"time"
)

// Correct keeps a correction; when it returns nil, the line is on the disk. Time and, where it is not known, File may be left
// out. It needs no run and may be called while one works, by several processes at once. The error is a *[CorrectionError]
// for a correction that is refused and a *[WriteError] where the file cannot be written.
func Correct(dir string, c Correction) error {
	_, err := EditCorrection(dir, c.Path, func(before *Correction) error {
		*before = c
		return nil
	})
	return err
}

// EditCorrection changes the correction of a path. edit gets the newest one, which is empty where there is none, and no other
// correction is written meanwhile. The correction that now counts is returned. Where there is none and edit makes none, nothing is
// written. An error of edit is returned as it is, and nothing is written.
func EditCorrection(dir, path string, edit func(*Correction) error) (c Correction, err error) {
	err = EditCorrections(dir, []string{path}, edit, func(kept Correction) { c = kept })
	if err != nil {
		return Correction{}, err
	}
	return c, nil
}

// EditCorrections is EditCorrection for several paths: the corrections are read once, and all lines are written together or,
// with an error, none. edit is called for each path, and kept, which may be nil, with what is then written or counts already.
func EditCorrections(dir string, paths []string, edit func(*Correction) error, kept func(Correction)) error {
	return editCorrections(&lenientFS{filesystem: osFS{}, refused: func(error) {}}, dir, paths, edit, kept)
}

func editCorrections(disk filesystem, dir string, paths []string, edit func(*Correction) error, kept func(Correction)) error {
	list := sharedFile{path: correctionsPath(dir), what: "corrections", again: "correct again"}
	if err := os.MkdirAll(filepath.Join(dir, OutputsName), 0o755); err != nil {
		return list.failed("create", err)
	}
	held, err := list.lock()
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
	return list.append(disk, lines)
}

// edited is the correction of a path as edit makes it. Where there is none and edit makes none, nothing has changed.
func (a *Corrections) edited(path string, edit func(*Correction) error) (c Correction, changed bool, err error) {
	before, known := a.Of(path)
	before.Path = path
	c = before
	if err := edit(&c); err != nil {
		return c, false, err
	}
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

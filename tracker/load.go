package tracker

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/dustin/go-humanize"
)

// loader reads a workdir's progress file and outputs and repairs what a crash
// left incomplete.
type loader struct {
	fs   filesystem
	dir  string
	book *notebook

	photos      map[key]marks
	settingsIDs *settingsIDs
	failures    map[key]Failure
	refailed    map[key]refailure
	progress    *appendFile
	missing     []byte   // progress lines to be added
	moving      string   // the path before, where the last line is of a photo that was moved
	forget      []string // paths before, of which a crash lost the line that takes them back

	doubleLines, doubleResults, recovered int
}

// load fills the loader. On an error nothing stays open.
func (l *loader) load() error {
	l.photos, l.settingsIDs = map[key]marks{}, newSettingsIDs()
	l.failures, l.refailed = map[key]Failure{}, map[key]refailure{}
	if err := l.loadProgress(); err != nil {
		return err
	}
	if err := l.loadOutputs(); err != nil {
		l.progress.f.Close()
		return err
	}
	if info, err := l.progress.f.Stat(); err == nil {
		l.progress.size = info.Size()
	}
	l.report()
	return nil
}

// loadProgress opens the progress file, creating it where there is none, reads
// it, and cuts off a torn last line. A line that lacks only its newline
// is restored when its result line is read.
func (l *loader) loadProgress() error {
	path := filepath.Join(l.dir, ProgressName)
	f, err := l.fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return &WriteError{Op: "open", Path: path, Err: err}
	}
	err = l.fs.SyncDir(l.dir)
	if err != nil {
		f.Close()
		return &WriteError{Op: "sync", Path: l.dir, Err: err}
	}
	if err := f.Sync(); err != nil { // so that a disk that fails is known now
		f.Close()
		return &WriteError{Op: "sync", Path: path, Err: err}
	}
	l.progress = &appendFile{fs: l.fs, f: f, path: path}
	d := damage{book: l.book, file: ProgressName}
	parse := func(line []byte) (key, error) {
		path, err := DecodePath(string(line))
		return keyOf(path), err
	}
	rest, err := scanLines(f, parse, func(line int, k key, err error) {
		switch {
		case err != nil:
			d.line(line, err.Error())
		case l.photos[k]&inProgress != 0:
			l.doubleLines++
		default:
			l.photos[k] |= inProgress
		}
	})
	if err == nil && rest.torn {
		err = cutTail(f, rest.offset)
		l.book.add(Warn, ProgressName, rest.line, "torn last line cut off")
	}
	if err != nil {
		f.Close()
		return &WriteError{Op: "read", Path: path, Err: err}
	}
	d.end()
	return nil
}

// loadOutputs reads all outputs and adds the progress lines that are missing.
func (l *loader) loadOutputs() error {
	files, err := outputFiles(l.dir)
	if err != nil {
		return &WriteError{Op: "list", Path: filepath.Join(l.dir, OutputsName), Err: err}
	}
	for _, path := range files {
		if err := l.loadOutput(path); err != nil {
			return err
		}
	}
	return l.addMissing(0)
}

// loadOutput reads one output file. Only the progress file has to be readable:
// an output that cannot be read is a note.
func (l *loader) loadOutput(path string) error {
	name, _ := filepath.Rel(l.dir, path)
	f, err := l.fs.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, os.ErrPermission) {
		f, err = l.fs.OpenFile(path, os.O_RDONLY, 0)
	}
	if err != nil {
		l.book.add(Warn, name, 0, "not read: %v", err)
		return nil
	}
	defer f.Close()

	d := damage{book: l.book, file: name}
	before := l.recovered
	l.moving = ""
	var addErr error
	merge := func(line int, o outcome, err error) {
		if err != nil {
			d.line(line, err.Error())
			return
		}
		l.merge(o)
		l.moving = o.from
		if addErr == nil {
			addErr = l.addMissing(blockSize)
		}
	}
	rest, err := scanLines(f, parseOutcome, merge)
	if err != nil {
		l.book.add(Warn, name, 0, "read only in part: %v", err)
	} else if rest.torn {
		l.mendOutput(f, name, rest, merge)
	}
	if l.moving != "" {
		l.forget = append(l.forget, l.moving)
	}
	if l.recovered > before {
		// A result is about to be counted that nobody has seen on the disk.
		_ = f.Sync()
	}
	d.end()
	return addErr
}

// mendOutput completes a last line that lacks only its newline, and cuts off any
// other.
func (l *loader) mendOutput(f file, name string, rest tail, merge func(int, outcome, error)) {
	line := trimLine(rest.data, rest.offset == 0)
	o, err := parseOutcome(line)
	if err == nil {
		if _, err := f.Write([]byte{'\n'}); err != nil {
			l.book.add(Warn, name, rest.line, "last line has no newline and none can be added: %v", err)
		}
		merge(rest.line, o, nil)
		return
	}
	if err := cutTail(f, rest.offset); err != nil {
		l.book.add(Warn, name, rest.line, "torn last line cannot be cut off: %v", err)
		return
	}
	l.book.add(Warn, name, rest.line, "torn last line cut off")
}

func (l *loader) merge(o outcome) {
	m, settingsID := l.photos[o.key], l.settingsIDs.number(o.settingsID)
	if o.forgotten {
		if m&hasResult != 0 {
			l.settingsIDs.photos[m.settingsID()]--
		}
		if m != 0 {
			l.photos[o.key] = m&inProgress | forgotten
		}
		delete(l.failures, o.key)
		delete(l.refailed, o.key)
		return
	}
	if o.failed {
		// A photo once described stays so, whatever was tried later.
		switch {
		case !m.described() && m&hasResult == 0:
			l.failures[o.key] = o.why
		case m&hasResult != 0 && settingsID != m.settingsID():
			l.refailed[o.key] = refailure{o.why, settingsID}
		}
		return
	}
	if m&hasResult != 0 {
		if settingsID == m.settingsID() {
			if o.file == m.stamp() && !o.asked {
				l.doubleResults++
			}
			l.photos[o.key] = m.from(settingsID, o.file).sharing(o.shared) // the file was changed, its picture was not
			return
		}
		// Described again with other settings: the newest line counts.
		l.settingsIDs.photos[m.settingsID()]--
	}
	if m&inProgress == 0 {
		l.missing = append(append(l.missing, EncodePath(string(o.path))...), '\n')
		l.recovered++
	}
	l.forget = slices.DeleteFunc(l.forget, func(path string) bool { return keyOf(path) == o.key }) // another photo is there since
	l.photos[o.key] = (m&^forgotten | inProgress | hasResult).from(settingsID, o.file).sharing(o.shared)
	l.settingsIDs.photos[settingsID]++
	delete(l.failures, o.key)
	delete(l.refailed, o.key)
}

// addMissing writes the missing progress lines when they are more than limit
// bytes.
func (l *loader) addMissing(limit int) error {
	if len(l.missing) <= limit {
		return nil
	}
	err := l.progress.append(l.missing)
	l.missing = l.missing[:0]
	return err
}

func (l *loader) report() {
	without := 0
	for _, m := range l.photos {
		if m&(inProgress|hasResult|forgotten) == inProgress {
			without++
		}
	}
	for _, n := range []struct {
		count int
		level Level
		file  string
		text  string
	}{
		{l.recovered, Info, ProgressName, "%s described but without a progress line; added"},
		{without, Warn, ProgressName, "%s described but without a result line in " + OutputsName + "; they stay done. " +
			"To have them described again, take their lines out of this file"},
		{l.doubleLines, Info, ProgressName, "%s lines stand there twice; counted once"},
		{l.doubleResults, Info, OutputsName, "%s photos have a second ok line of the same settings; counted once"},
	} {
		if n.count > 0 {
			l.book.add(n.level, n.file, 0, n.text, humanize.Comma(int64(n.count)))
		}
	}
}

// cutTail truncates a file to size and waits until this is on the disk.
func cutTail(f file, size int64) error {
	if err := f.Truncate(size); err != nil {
		return err
	}
	return f.Sync()
}

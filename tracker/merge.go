package tracker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"photodesc/internal/fsutil"
)

// Merged is what [Merge] did.
type Merged struct {
	Root        string // the photo folder that all belong to
	Lines       int    // result lines that were added
	Photos      int    // these are of
	Several     int    // of Photos, that the workdir or another source has, too
	Corrections int    // that were added
	Bad         int    // lines that cannot be read, and stay where they are
	Counts      Counts // of the workdir afterwards
}

// MergeOptions are how workdirs are merged.
type MergeOptions struct {
	// Root is the photo folder of the merged workdir; "" is that of the workdirs, which must be the same then.
	Root string
	// Progress is told of result lines read and written; it may be nil.
	Progress func(lines int)
}

// RootsError says that workdirs belong to different photo folders.
type RootsError struct{ Dir, Root, OtherDir, OtherRoot string }

func (e *RootsError) Error() string {
	return fmt.Sprintf("%q has descriptions of the photos in %q, and %q of those in %q", e.OtherDir, e.OtherRoot, e.Dir, e.Root)
}

// Merge adds the results of other workdirs, such as those of shards, to the workdir dir, which is created where there is none. No photo
// gets results of two of them: those of the workdir with its newest count, and its lines are added as they are. Sources are
// locked meanwhile and not changed, beyond the repairs of [Open]; those on a read-only file system are neither locked nor repaired.
//
// Until all is on the disk nothing is changed, so that a merge which was killed is begun again; what was merged before
// is not added again. 1,000,000 photos take some 270 MB.
func Merge(dir string, sources []string, opt MergeOptions) (m Merged, err error) {
	if m.Root, err = commonRoot(dir, sources, opt.Root); err != nil {
		return m, err
	}
	t, err := Open(dir, Options{Root: m.Root})
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	defer t.live.Stop(Finished, "")
	for _, s := range sources {
		lock, err := lockSource(s, t)
		if err != nil {
			return m, err
		}
		if lock != nil {
			defer lock.release()
		}
	}
	g := &merger{t: t, dirs: append([]string{dir}, sources...), newest: map[key]winner{}, merged: &m, progress: opt.Progress}
	if err := g.run(); err != nil {
		return m, err
	}
	m.Counts, err = reload(t)
	return m, err
}

// reload reads a workdir again after outputs were added, and adds their progress lines.
func reload(t *Tracker) (Counts, error) {
	t.commits.Lock()
	defer t.commits.Unlock()
	l := loader{fs: t.fs, dir: t.dir, book: &notebook{}}
	if err := l.load(); err != nil {
		return Counts{}, err
	}
	old := t.progress
	t.mu.Lock()
	t.progress = l.progress
	t.take(&l, t.retry)
	counts := t.counts
	t.mu.Unlock()
	t.live.change(func(s *state) { s.setCounts(counts, l.progress.size) })
	return counts, old.f.Close()
}

// lockSource keeps runs out of a workdir and mends what a crash of one left. The lock is nil for a workdir that can only be read, as one
// that another machine exports: what it has when it is read is merged.
func lockSource(dir string, t *Tracker) (*lock, error) {
	held, err := takeLock(dir, t.started)
	if errors.Is(err, syscall.EROFS) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l := loader{fs: t.fs, dir: dir, book: &notebook{}}
	if err := l.load(); err != nil {
		return nil, errors.Join(err, held.release())
	}
	return held, l.progress.f.Close()
}

// commonRoot is the photo folder of all workdirs.
func commonRoot(dir string, sources []string, want string) (string, error) {
	if want != "" {
		return want, nil
	}
	root, of := "", ""
	for _, d := range append([]string{dir}, sources...) {
		s, err := readState(d)
		switch {
		case d == dir && errors.Is(err, os.ErrNotExist):
			continue
		case err != nil:
			return "", fmt.Errorf("%s of %q cannot be read, and says which photos its descriptions are of: %w\n  say it with --folder", StateName, d, err)
		case s.Root == "":
		case root == "":
			root, of = s.Root, d
		case !sameFolder(root, s.Root):
			return "", &RootsError{Dir: of, Root: root, OtherDir: d, OtherRoot: s.Root}
		}
	}
	return root, nil
}

// winner is the workdir with the newest of a photo.
type winner struct {
	at       int64 // nanoseconds since 1970
	dir      int32 // index
	decides  bool  // a description or its withdrawal, which no failure replaces
	conflict bool  // others have it, too
}

// merger is one merge.
type merger struct {
	t        *Tracker
	dirs     []string // the first is merged into
	newest   map[key]winner
	merged   *Merged
	progress func(lines int)
	lines    int
}

func (g *merger) run() error {
	for i := range g.dirs {
		if err := g.survey(int32(i)); err != nil {
			return err
		}
	}
	for _, n := range g.newest {
		if n.dir != 0 {
			g.merged.Photos++
			if n.conflict {
				g.merged.Several++
			}
		}
	}
	for _, s := range g.dirs[1:] {
		if err := g.copySettings(s); err != nil {
			return err
		}
	}
	if g.merged.Photos > 0 {
		if err := g.copyLines(); err != nil {
			return err
		}
	}
	for i := range g.dirs[1:] {
		if err := g.copyProgress(g.dirs[i+1]); err != nil {
			return err
		}
		if err := g.copyCorrections(g.dirs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// tick counts a line.
func (g *merger) tick() {
	if g.lines++; g.lines%10_000 == 0 && g.progress != nil {
		g.progress(g.lines)
	}
}

// survey notes which photos a workdir has, and when they were described.
func (g *merger) survey(dir int32) error {
	type line struct {
		key     key
		at      time.Time
		decides bool
	}
	parse := func(text []byte) (line, error) {
		r, err := parseRecord(text)
		return line{keyOf(r.Path), r.Time, r.Status != Failed}, err
	}
	return readOutputs(g.dirs[dir], parse, func(_ string, _ int, l line, err error) {
		g.tick()
		if err != nil {
			g.merged.Bad++
			return
		}
		at := int64(0)
		if !l.at.IsZero() {
			at = l.at.UnixNano()
		}
		n, known := g.newest[l.key]
		other := known && n.dir != dir
		switch {
		case !known, l.decides && !n.decides, l.decides == n.decides && at > n.at, !other && l.decides == n.decides:
			g.newest[l.key] = winner{max(at, 0), dir, l.decides, n.conflict || other}
		case other:
			n.conflict = true
			g.newest[l.key] = n
		}
	})
}

// copyLines writes one output with the lines of the sources that count, and gives it its name when it is on the disk.
func (g *merger) copyLines() (err error) {
	outputs := filepath.Join(g.dirs[0], OutputsName)
	f, err := os.CreateTemp(outputs, mergePattern)
	if err != nil {
		return &WriteError{Op: "create", Path: filepath.Join(outputs, mergePattern), Err: err}
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, blockSize)
	var writeErr error
	for i := range g.dirs[1:] {
		dir := int32(i + 1)
		type line struct {
			key  key
			text []byte
		}
		parse := func(text []byte) (line, error) {
			o, err := parseOutcome(text)
			return line{o.key, text}, err
		}
		err := readOutputs(g.dirs[dir], parse, func(_ string, _ int, l line, err error) {
			g.tick()
			if err != nil || g.newest[l.key].dir != dir || writeErr != nil {
				return
			}
			g.merged.Lines++
			w.Write(l.text)
			writeErr = w.WriteByte('\n')
		})
		if err != nil {
			return err
		}
	}
	err = errors.Join(writeErr, w.Flush(), f.Chmod(0o644), f.Sync())
	if err != nil {
		return &WriteError{Op: "write to", Path: f.Name(), Err: err}
	}
	name, err := nextOutput(g.dirs[0], g.t.started, 0)
	if err != nil {
		return err
	}
	to := filepath.Join(outputs, name)
	if err = os.Rename(f.Name(), to); err == nil {
		err = g.t.fs.SyncDir(outputs)
	}
	if err != nil {
		return &WriteError{Op: "create", Path: to, Err: err}
	}
	return nil
}

// mergePattern is the name of an output that is being merged. What a kill left of one is removed by Open.
const mergePattern = "." + outputPrefix + "merge-*"

// copySettings adds the settings that result lines of a workdir name.
func (g *merger) copySettings(source string) error {
	names, err := filepath.Glob(filepath.Join(fsutil.QuoteGlob(source), OutputsName, settingsPrefix+"*"+settingsSuffix))
	if err != nil {
		return err
	}
	for _, name := range names {
		id := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), settingsPrefix), settingsSuffix)
		s, err := readSettings(source, id)
		if err != nil {
			continue // lines that name them are as they were
		}
		if err := s.save(g.t.fs, g.dirs[0]); err != nil {
			return err
		}
	}
	return nil
}

// copyProgress adds the progress lines of photos that have no result line, as a lost output leaves them: they stay described.
func (g *merger) copyProgress(source string) error {
	f, err := fsutil.OpenRegular(filepath.Join(source, ProgressName), os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("the progress file of %q cannot be read: %w", source, err)
	}
	defer f.Close()
	var lines bytes.Buffer
	parse := func(line []byte) (string, error) { return DecodePath(string(line)) }
	_, err = scanLines(f, parse, func(_ int, path string, err error) {
		k := keyOf(path)
		if _, known := g.newest[k]; err != nil || known || g.t.photos[k]&inProgress != 0 {
			return
		}
		g.newest[k] = winner{} // of which there is one line only
		lines.WriteString(EncodePath(path) + "\n")
	})
	if err != nil || lines.Len() == 0 {
		return err
	}
	return g.t.progress.append(lines.Bytes())
}

// copyCorrections adds the corrections of a workdir that are newer than its own.
func (g *merger) copyCorrections(source string) error {
	theirs, err := ReadCorrections(source)
	if err != nil {
		return err
	}
	ours, err := ReadCorrections(g.dirs[0])
	if err != nil {
		return err
	}
	for c := range theirs.All() {
		if have, ok := ours.Of(c.Path); ok && !c.Time.After(have.Time) {
			continue
		}
		if err := Correct(g.dirs[0], c); err != nil {
			return err
		}
		g.merged.Corrections++
	}
	return nil
}

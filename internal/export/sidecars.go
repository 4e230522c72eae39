package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"photodesc/internal/fsutil"
)

// Outcome is what became of the file of a photo.
type Outcome int

// The outcomes.
const (
	Written Outcome = iota
	Same            // it has these words already
	Theirs          // somebody else wrote or changed it; it was left alone
	Gone            // the photo is not there, or the file that was to be removed
	Removed
	Broken // it cannot be written or removed; the error says why
)

// Sidecars writes a small file for each photo, beside it or in a folder of its own. A file that is not as the last export left
// it stays as it is.
type Sidecars struct {
	Ledger *Ledger
	Kind   string // of the files: each kind is removed by itself
	Photos string // the photo folder
	Folder string // where the files are in the same folders as the photos; "" is beside the photos
	DryRun bool   // nothing is written

	// Report hears what became of each file, by its path below the folder.
	Report func(file string, o Outcome, err error)

	pending []sidecar
	folder  string // the last one that is known to be there
}

// sidecar is a file to be written.
type sidecar struct {
	photo, file string // relative to the folders
	text        []byte

	old    fs.FileInfo // what is in its place and ours; nil where nothing is
	before *Sum
	write  bool
}

const (
	// perBatch is how many files are recorded together before they are written.
	perBatch = 1000
	// maxSidecar bounds what is read of a file. A larger one is not ours.
	maxSidecar = 1 << 20
	// folderEnd ends the key of a folder that was made.
	folderEnd = "/"
)

// key is what the ledger calls a file. The parts are separated by a byte that no path has.
func (s *Sidecars) key(file string) string { return s.Kind + "\x00" + s.Folder + "\x00" + file }

func (s *Sidecars) root() string {
	if s.Folder != "" {
		return s.Folder
	}
	return s.Photos
}

// Put has the text of a photo be written to a file, at the latest by [Sidecars.Flush]. An error ends the export: what concerns
// one file only is reported.
func (s *Sidecars) Put(ctx context.Context, photo, file, text string) error {
	s.pending = append(s.pending, sidecar{photo: photo, file: file, text: []byte(text + "\n")})
	if len(s.pending) < perBatch {
		return nil
	}
	return s.Flush(ctx)
}

// Flush writes what is left.
func (s *Sidecars) Flush(ctx context.Context) error {
	batch := s.pending
	s.pending = s.pending[:0]
	var entries []Entry
	for i := range batch {
		c := &batch[i]
		o, err := s.look(ctx, c)
		if fatal(err) {
			return err
		}
		if c.write = err == nil && o == Written; !c.write {
			s.report(c.file, o, err)
			continue
		}
		entries = append(entries, Entry{s.key(c.file), SumOf(c.text), c.before})
	}
	if !s.DryRun {
		if err := s.Ledger.Record(ctx, entries...); err != nil {
			return err
		}
	}
	for i := range batch {
		c := &batch[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		if !c.write {
			continue
		}
		o, err := Written, error(nil)
		if !s.DryRun {
			o, err = s.write(ctx, c)
		}
		if fatal(err) {
			return err
		}
		s.report(c.file, o, err)
	}
	return nil
}

func (s *Sidecars) report(file string, o Outcome, err error) {
	if err != nil {
		o = Broken
	}
	s.Report(file, o, err)
}

// look says what is to be done for a photo: [Written] where its file is to be written.
func (s *Sidecars) look(ctx context.Context, c *sidecar) (Outcome, error) {
	if !filepath.IsLocal(c.photo) {
		return Broken, errors.New("its path leads out of the photo folder")
	}
	if s.Folder == "" {
		if _, err := os.Stat(fsutil.Join(s.Photos, c.photo)); errors.Is(err, fs.ErrNotExist) {
			return Gone, nil
		} else if err != nil {
			return Broken, err
		}
	}
	place := fsutil.Join(s.root(), c.file)
	old, err := os.Lstat(place)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Written, nil
	case err != nil:
		return Broken, err
	case !old.Mode().IsRegular():
		return Theirs, nil
	}
	sum, err := sumSmall(place)
	switch {
	case sum == nil && err == nil:
		return Theirs, nil
	case err != nil:
		return Broken, err
	case *sum == SumOf(c.text):
		return Same, nil
	}
	ours, err := s.Ledger.Ours(ctx, s.key(c.file), *sum)
	if err != nil || !ours {
		return Theirs, err
	}
	c.old, c.before = old, sum
	return Written, nil
}

// sumSmall is the digest of a file, nil for one that is too large to be ours.
func sumSmall(place string) (*Sum, error) {
	b, err := fsutil.ReadSmall(place, maxSidecar)
	var large *fsutil.TooLargeError
	if errors.As(err, &large) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sum := SumOf(b)
	return &sum, nil
}

// write writes a file beside its place and puts it there.
func (s *Sidecars) write(ctx context.Context, c *sidecar) (o Outcome, err error) {
	if s.Folder != "" {
		if err := s.makeFolder(ctx, path.Dir(c.file)); err != nil {
			return Broken, err
		}
	}
	place := fsutil.Join(s.root(), c.file)
	part := fsutil.Join(filepath.Dir(place), s.partName())
	_ = os.Remove(part) // of an export that was killed
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return Broken, err
	}
	defer func() {
		if o != Written {
			_ = os.Remove(part)
		}
	}()
	_, err = f.Write(c.text)
	if err = errors.Join(err, f.Close()); err != nil {
		return Broken, err
	}
	switch err := put(part, place, c.old, false); {
	case errors.As(err, new(*NotOursError)):
		return Theirs, nil
	case err != nil:
		return Broken, err
	}
	return Written, nil
}

// partName is the name beside its place of a file that is being written: always the same, so that what a killed export left is
// written over, and another one for another workdir's export.
func (s *Sidecars) partName() string {
	sum := sha256.Sum256([]byte(s.Ledger.path))
	return ".photodesc-" + hex.EncodeToString(sum[:8]) + ".part"
}

// makeFolder makes a folder of the mirror and records it, so that it is removed with the files.
func (s *Sidecars) makeFolder(ctx context.Context, folder string) error {
	if folder == s.folder {
		return nil
	}
	place := filepath.Join(s.Folder, folder)
	if info, err := os.Stat(place); err == nil && info.IsDir() {
		s.folder = folder
		return nil
	}
	if folder != "." {
		if err := s.makeFolder(ctx, path.Dir(folder)); err != nil {
			return err
		}
	}
	key := s.key("") // of the mirror itself
	if folder != "." {
		key = s.key(folder + folderEnd)
	}
	if err := s.Ledger.Record(ctx, Entry{Key: key}); err != nil {
		return err
	}
	if err := os.Mkdir(place, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	s.folder = folder
	return nil
}

// Remove removes the files of the kind that are as an export left them, and the folders that were made for them and are empty.
// wanted says which, by their paths.
func (s *Sidecars) Remove(ctx context.Context, wanted func(file string) bool) error {
	beginning := s.key("")
	for last := ""; ; {
		keys, err := s.Ledger.keys(ctx, beginning, last, perBatch)
		if err != nil || len(keys) == 0 {
			return err
		}
		last = keys[len(keys)-1]
		var forget []string
		for _, key := range keys {
			if err := ctx.Err(); err != nil {
				return err
			}
			file := strings.TrimPrefix(key, beginning)
			if !wanted(strings.TrimSuffix(file, folderEnd)) {
				continue
			}
			if folder, is := strings.CutSuffix(file, folderEnd); is || file == "" {
				// One that is not empty stays recorded: its files may go later.
				if err := s.removeFolder(folder); err == nil || errors.Is(err, fs.ErrNotExist) {
					forget = append(forget, key)
				}
				continue
			}
			o, err := s.remove(ctx, key, file)
			if fatal(err) {
				return err
			}
			if o == Removed || o == Gone {
				forget = append(forget, key)
			}
			s.report(file, o, err)
		}
		if !s.DryRun {
			if err := s.Ledger.Forget(ctx, forget...); err != nil {
				return err
			}
		}
	}
}

func (s *Sidecars) removeFolder(folder string) error {
	if s.DryRun {
		return nil
	}
	return os.Remove(filepath.Join(s.Folder, folder))
}

func (s *Sidecars) remove(ctx context.Context, key, file string) (Outcome, error) {
	place := fsutil.Join(s.root(), file)
	old, err := os.Lstat(place)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENAMETOOLONG): // which was never written
		return Gone, nil
	case err != nil:
		return Broken, err
	case !old.Mode().IsRegular():
		return Theirs, nil
	}
	sum, err := sumSmall(place)
	switch {
	case sum == nil && err == nil:
		return Theirs, nil
	case err != nil:
		return Broken, err
	}
	if ours, err := s.Ledger.Ours(ctx, key, *sum); err != nil || !ours {
		return Theirs, err
	}
	if !s.DryRun {
		if err := os.Remove(place); err != nil {
			return Broken, err
		}
	}
	return Removed, nil
}

// fatal is whether an error concerns all files.
func fatal(err error) bool {
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO, syscall.ENODEV, context.Canceled} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// put puts the file part at place, unless that is not as it was: old, or nil where nothing was there. The error is then a
// *[NotOursError].
func put(part, place string, old fs.FileInfo, force bool) error {
	if old == nil {
		err := os.Link(part, place) // fails where something is there, as a rename does not
		switch {
		case err == nil:
			return os.Remove(part)
		case errors.Is(err, fs.ErrExist):
			return &NotOursError{place}
		}
		if _, err := os.Lstat(place); err == nil {
			return &NotOursError{place}
		}
		return os.Rename(part, place) // a file system without links
	}
	now, err := os.Lstat(place)
	if err == nil && !force && !(os.SameFile(now, old) && now.Size() == old.Size() && now.ModTime().Equal(old.ModTime())) {
		return &NotOursError{place}
	}
	_ = os.Chmod(part, old.Mode().Perm())
	return os.Rename(part, place)
}

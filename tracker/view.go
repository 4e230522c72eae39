package tracker

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"photodesc/internal/fsutil"
)

// View reads a workdir without changing anything in it and without its lock, so
// that a run may be working there. A workdir that does not exist is empty. Of the
// result only Done, Failed, Changed, Use and Counts may be called; it has nothing
// to be closed. It returns a *RootError when dir belongs to other photos.
func View(dir string, opt Options) (*Tracker, error) {
	old, err := readState(dir)
	if err != nil {
		old = state{} // figures only
	}
	l := loader{fs: viewFS{}, dir: dir, book: &notebook{}}
	if err := l.load(); err != nil {
		return nil, err
	}
	defer l.progress.f.Close()
	if opt.Root != "" {
		root, err := fsutil.Abs(opt.Root)
		if err != nil {
			return nil, err
		}
		if len(l.photos)+len(l.failures) > 0 {
			if err := checkRoot(dir, old.Root, root, opt); err != nil {
				return nil, err
			}
		}
	}
	t := &Tracker{dir: dir}
	t.take(&l, opt.RetryFailed)
	return t, nil
}

// viewFS reads files and writes none: what would be mended stays as it is.
type viewFS struct{}

func (viewFS) OpenFile(name string, _ int, _ fs.FileMode) (file, error) {
	f, err := fsutil.OpenRegular(name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return noFile{}, nil
	}
	if err != nil {
		return nil, err
	}
	return viewFile{f}, nil
}

func (viewFS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }
func (viewFS) SyncDir(string) error                  { return nil }

type viewFile struct{ *os.File }

func (viewFile) Write(b []byte) (int, error) { return len(b), nil }
func (viewFile) Sync() error                 { return nil }
func (viewFile) Truncate(int64) error        { return nil }

// noFile is a file that does not exist, as an empty one.
type noFile struct{}

func (noFile) Read([]byte) (int, error)    { return 0, io.EOF }
func (noFile) Write(b []byte) (int, error) { return len(b), nil }
func (noFile) Close() error                { return nil }
func (noFile) Sync() error                 { return nil }
func (noFile) Truncate(int64) error        { return nil }
func (noFile) Stat() (fs.FileInfo, error)  { return nil, fs.ErrNotExist }

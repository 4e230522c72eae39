package browse

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
)

// folder opens photos below the photo folder and nothing else, whatever links are there.
type folder struct {
	root     string        // absolute, without links; "" if it is not known
	patience time.Duration // how long a disk may take to say what a file is
	looks    chan struct{} // a token for each look at the disk that has not ended
}

// Bounds of a disk that does not answer, as a server that went away: a look at it cannot be ended.
const (
	diskPatience = 15 * time.Second // disks that sleep take up to ten
	maxLooks     = 64
)

// openFolder takes the photo folder as the workdir has it.
func openFolder(root string) folder {
	f := folder{patience: diskPatience, looks: make(chan struct{}, maxLooks)}
	if root != "" {
		f.root = fsutil.Resolve(root)
	}
	return f
}

// within returns what look finds, or errSilent if the disk takes too long. What is found too late is given to late.
func within[T any](f folder, look func() (T, error), late func(T)) (found T, err error) {
	select {
	case f.looks <- struct{}{}:
	default:
		return found, errSilent
	}
	type result struct {
		found T
		err   error
	}
	results, left := make(chan result), make(chan struct{})
	go func() {
		v, err := look()
		<-f.looks
		select {
		case results <- result{v, err}:
		case <-left:
			if err == nil {
				late(v)
			}
		}
	}()
	t := time.NewTimer(f.patience)
	defer t.Stop()
	select {
	case r := <-results:
		return r.found, r.err
	case <-t.C:
		close(left)
		return found, errSilent
	}
}

// Errors of files that are not shown.
var (
	errOutside = errors.New("the file is a link that leads out of the photo folder; it is not shown")
	errGone    = errors.New("the file is not there any more")
	errAway    = errors.New("the photo folder is not there; is its disk connected?")
	errNoFile  = errors.New("it is not a file")
	errSilent  = errors.New("the disk with the photos does not answer")
)

// open opens a photo by the path of its result line.
func (f folder) open(path string) (*os.File, fs.FileInfo, error) {
	o, err := within(f, func() (opened, error) { return f.openNow(path) }, func(o opened) { o.file.Close() })
	return o.file, o.info, err
}

type opened struct {
	file *os.File
	info fs.FileInfo
}

func (f folder) openNow(path string) (opened, error) {
	root, rel, err := f.resolve(path)
	if err != nil {
		return opened{}, err
	}
	defer root.Close()
	info, err := root.Stat(rel)
	if err != nil {
		return opened{}, gone(err)
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait
		return opened{}, errNoFile
	}
	file, err := root.Open(rel)
	if err != nil {
		return opened{}, gone(err)
	}
	if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
		err = errNoFile
	}
	if err != nil {
		file.Close()
		return opened{}, err
	}
	return opened{file, info}, nil
}

// stat returns the path below the folder, without links, and the time of the last change.
func (f folder) stat(path string) (rel string, modified time.Time, err error) {
	type state struct {
		rel      string
		modified time.Time
	}
	s, err := within(f, func() (s state, err error) {
		s.rel, s.modified, err = f.statNow(path)
		return s, err
	}, func(state) {})
	return s.rel, s.modified, err
}

func (f folder) statNow(path string) (rel string, modified time.Time, err error) {
	root, rel, err := f.resolve(path)
	if err != nil {
		return "", time.Time{}, err
	}
	defer root.Close()
	info, err := root.Stat(rel)
	if err != nil {
		return "", time.Time{}, gone(err)
	}
	if !info.Mode().IsRegular() {
		return "", time.Time{}, errNoFile
	}
	return rel, info.ModTime(), nil
}

// resolve follows the links of a path. os.Root refuses all that lead out of the folder, but also
// absolute ones that lead into it.
func (f folder) resolve(path string) (*os.Root, string, error) {
	if f.root == "" {
		return nil, "", errAway
	}
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return nil, "", errAway
	}
	real, err := filepath.EvalSymlinks(fsutil.Join(f.root, path))
	if err == nil && !fsutil.Below(real, f.root) {
		err = errOutside
	}
	rel := ""
	if err == nil {
		rel, err = filepath.Rel(f.root, real)
	}
	if err != nil {
		root.Close()
		return nil, "", gone(err)
	}
	return root, rel, nil
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errGone
	}
	if errors.Is(err, errOutside) {
		return err
	}
	return photo.Reason(err)
}

// shown are the types of files that browsers show as they are, by their content, with what they
// are served as. All others are decoded by a worker first.
var shown = map[string]string{
	photo.FormatJPEG: "image/jpeg",
	photo.FormatPNG:  "image/png",
	photo.FormatWebP: "image/webp",
	photo.FormatGIF:  "image/gif",
	photo.FormatAVIF: "image/avif",
}

// maxShown is the largest file that a browser gets as it is, in bytes.
const maxShown = 32 << 20

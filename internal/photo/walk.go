package photo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// WalkOptions changes what Walk does. The zero value is fine.
type WalkOptions struct {
	// Skip are files and folders to leave out, usually the run's own. Relative
	// paths count from the current folder; those that do not exist are ignored.
	Skip []string

	// Problem is told of each photo that is no readable file and of each folder
	// that cannot be read. The walk goes on afterwards. It may be nil.
	Problem func(Problem)

	// Link is told the full path of each link that is followed, to a photo or to
	// a folder: what it leads to may lie elsewhere. It may be nil.
	Link func(path string)
}

// Problem is something Walk met that the run should record.
type Problem struct {
	Path   string // relative to the root, like a photo's; "." is the root
	Folder bool   // it is a folder: the photos in it are unknown
	Err    *Error // Err.Path is the full path
}

// Walk calls found with the path of each photo under the folder root, relative
// to it, with '/' between folders and otherwise the file system's own bytes:
// names need not be UTF-8 and may hold line breaks.
//
// A photo is a file whose name IsPhoto knows. Left out are hidden files and
// folders (a leading dot) and folders in which other programs keep thumbnails,
// deleted files or snapshots (see ignored).
//
// The order is stable: depth first, each folder's entries sorted by their bytes.
// Links to files are photos like others. Links to folders are followed after
// all that is really under root, again in the order of their paths, and no
// folder is entered twice, so loops end and a photo's path does not change when
// somebody adds a link to its folder.
//
// Only one folder's names at a time (and those of its parents that are still
// to be visited) are held, and regular files are not touched: a million take
// about two seconds.
//
// It returns the first error found returns, ctx's error, or an error that says
// why root cannot be walked.
func Walk(ctx context.Context, root string, opts WalkOptions, found func(rel string) error) error {
	info, err := os.Stat(root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no folder %q: give the folder that holds the photos", root)
	case err != nil:
		return fmt.Errorf("cannot look into the photo folder: %w", err)
	case !info.IsDir():
		return fmt.Errorf("%q is a file: give the folder that holds the photos, such as %q",
			root, filepath.Dir(root))
	}
	w := &walker{ctx: ctx, root: root, found: found, problem: opts.Problem, seen: make(map[folderID]bool)}
	if w.problem == nil {
		w.problem = func(Problem) {}
	}
	if w.linked = opts.Link; w.linked == nil {
		w.linked = func(string) {}
	}
	w.skip(opts.Skip)
	id := idOf(info)
	if w.seen[id] {
		return fmt.Errorf("the photo folder %q is one of the run's own folders: give another work folder with -C", root)
	}
	w.seen[id] = true
	return w.run()
}

// ignored are folders that belong to other programs: thumbnails, recycle bins
// and snapshots, whose pictures are copies of others or have been deleted.
var ignored = map[string]bool{
	"@eaDir":                    true, // Synology: thumbnails
	"#recycle":                  true, // Synology: deleted
	"#snapshot":                 true, // Synology: older states
	"@Recycle":                  true, // QNAP: deleted
	"@Recently-Snapshot":        true, // QNAP: older states
	"$RECYCLE.BIN":              true, // Windows: deleted
	"System Volume Information": true, // Windows: older states
	"__MACOSX":                  true, // resource forks from a zip
	"lost+found":                true,
}

type folderID struct{ dev, ino uint64 }

func idOf(info fs.FileInfo) folderID {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return folderID{uint64(st.Dev), uint64(st.Ino)}
	}
	return folderID{}
}

type walker struct {
	ctx     context.Context
	root    string
	found   func(string) error
	problem func(Problem)
	linked  func(string)

	seen      map[folderID]bool // folders entered, or to be left out
	skipFiles map[fileID]bool   // nil when there are none
	links     []string          // folders' links that wait, by relative path
}

// fileID is a file's place. A file is known by its folder and name, not by its
// own number, so that regular files need no stat.
type fileID struct {
	folder folderID
	name   string
}

// skip notes the paths to leave out.
func (w *walker) skip(paths []string) {
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			continue
		}
		if info.IsDir() {
			w.seen[idOf(info)] = true
			continue
		}
		abs, err := filepath.Abs(p)
		if err != nil {
			continue
		}
		if parent, err := os.Stat(filepath.Dir(abs)); err == nil {
			if w.skipFiles == nil {
				w.skipFiles = make(map[fileID]bool)
			}
			w.skipFiles[fileID{idOf(parent), filepath.Base(abs)}] = true
		}
	}
}

func (w *walker) run() error {
	if err := w.folder("."); err != nil {
		return err
	}
	// What hangs on links comes after everything else. A linked folder may hold
	// further links, which join the end.
	for len(w.links) > 0 {
		batch := w.links
		w.links = nil
		slices.Sort(batch)
		for _, rel := range batch {
			info, err := os.Stat(w.full(rel))
			if err != nil {
				w.report(rel, true, err)
				continue
			}
			if id := idOf(info); !w.seen[id] {
				w.seen[id] = true
				w.linked(w.full(rel))
				if err := w.folder(rel); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// full is the path by which the system knows rel. It is put together by hand
// because filepath.Join would clean what the user wrote, and "a/../b" may not
// be "b" where a is a link.
func (w *walker) full(rel string) string {
	if rel == "." {
		return w.root
	}
	return strings.TrimSuffix(w.root, "/") + "/" + rel
}

func (w *walker) report(rel string, folder bool, err error) {
	// The path is said by our error; the system's own would say it again.
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	what := "cannot open it"
	if folder {
		what = "cannot read the folder"
	}
	w.problem(Problem{rel, folder, Errorf(Unreadable, w.full(rel), "%s: %w", what, err)})
}

// entry is one name in a folder that may matter.
type entry struct {
	name string
	typ  fs.FileMode // type bits
}

// folder visits what is in the folder rel, which the caller has entered in seen.
func (w *walker) folder(rel string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, id, err := w.list(rel)
	if err != nil {
		w.report(rel, true, err) // whatever was read before the error is still visited
	}
	prefix := rel + "/"
	if rel == "." {
		prefix = ""
	}
	for i := range entries {
		e := &entries[i]
		if w.skipFiles != nil && w.skipFiles[fileID{id, e.name}] {
			continue
		}
		if i%1024 == 0 {
			if err := w.ctx.Err(); err != nil {
				return err
			}
		}
		if err := w.visit(prefix+e.name, e); err != nil {
			return err
		}
		e.name = "" // the caller keeps what it needs
	}
	return nil
}

// list reads a folder's names, keeps those that may matter and sorts them. It
// reads in portions, so that the system's fuller records of a folder of a
// million files are never held together.
func (w *walker) list(rel string) (entries []entry, id folderID, err error) {
	f, err := os.Open(w.full(rel))
	if err != nil {
		return nil, id, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, id, err
	}
	id = idOf(info)
	for {
		portion, err := f.ReadDir(4096)
		for _, d := range portion {
			e := entry{d.Name(), d.Type()}
			if w.wanted(e) {
				entries = append(entries, e)
			}
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if err != nil || len(portion) == 0 {
			slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
			return entries, id, err
		}
	}
}

// wanted reports whether an entry may be, or lead to, a photo.
func (w *walker) wanted(e entry) bool {
	switch {
	case strings.HasPrefix(e.name, "."):
		return false // hidden, and the "._name.jpg" files macOS leaves on other file systems
	case e.typ.IsDir():
		return !ignored[e.name]
	case e.typ&fs.ModeSymlink != 0:
		return !ignored[e.name] // what it leads to is seen later
	}
	return IsPhoto(e.name)
}

func (w *walker) visit(rel string, e *entry) error {
	switch {
	case e.typ.IsRegular():
		return w.found(rel)
	case e.typ.IsDir():
		return w.enter(rel)
	case e.typ&fs.ModeSymlink != 0:
		return w.link(rel, e.name)
	}
	w.notRegular(rel, e.typ)
	return nil
}

// enter visits a real folder, unless it has been or is to be left out.
func (w *walker) enter(rel string) error {
	info, err := os.Stat(w.full(rel))
	if err != nil {
		w.report(rel, true, err)
		return nil
	}
	if id := idOf(info); !w.seen[id] {
		w.seen[id] = true
		return w.folder(rel)
	}
	return nil
}

func (w *walker) link(rel, name string) error {
	info, err := os.Stat(w.full(rel))
	switch {
	case err != nil && !IsPhoto(name):
		return nil // a dead link that nobody would take for a photo
	case errors.Is(err, fs.ErrNotExist):
		w.problem(Problem{rel, false, Errorf(Unreadable, w.full(rel), "the link leads nowhere")})
	case err != nil:
		w.report(rel, false, err)
	case info.IsDir():
		w.links = append(w.links, rel)
	case !IsPhoto(name):
		return nil
	case !info.Mode().IsRegular():
		w.notRegular(rel, info.Mode())
	default:
		w.linked(w.full(rel))
		return w.found(rel)
	}
	return nil
}

func (w *walker) notRegular(rel string, mode fs.FileMode) {
	w.problem(Problem{rel, false, NotRegular(w.full(rel), mode)})
}

// NotRegular is the error for a path that is something else than a file: what
// must not be opened, because reading it may never end.
func NotRegular(path string, mode fs.FileMode) *Error {
	what := "no regular file"
	switch {
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	}
	return Errorf(Unreadable, path, "it is %s, not a file", what)
}

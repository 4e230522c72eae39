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

	"photodesc/internal/fsutil"
)

// WalkOptions changes what Walk does. The zero value is fine.
type WalkOptions struct {
	// Tree is where the photos lie if not in a folder of the file system. The root is then only a name,
	// Skip counts for nothing, and there are no links.
	Tree Tree

	// Skip are files and folders to leave out, usually the run's own. Relative
	// paths count from the current folder; those that do not exist are ignored.
	Skip []string

	// Exclude leaves out files and folders that would be described, Include
	// brings back what Exclude, an IgnoreName or a rule of this package leaves
	// out. As in .gitignore, what is in a folder that is left out comes back
	// with the folder only.
	Exclude, Include Patterns

	// Shard is the part of the photos that is looked at: files of others are passed over,
	// whatever they are.
	Shard Shard

	// Known reports whether a photo is known from earlier, so that it need not be
	// opened to see whether it is one. It may be nil.
	Known func(rel string) bool

	// Enter is told each folder before it is listed, by its path relative to the root. It may be nil.
	Enter func(rel string)

	// Problem is told of each photo that is no readable file and of each folder
	// that cannot be read. The walk goes on afterwards. It may be nil.
	Problem func(Problem)

	// Warn is told what is wrong with an IgnoreName. It may be nil.
	Warn func(rel string, err error)

	// Link is told the full path of each link that is followed, to a photo or to
	// a folder: what it leads to may lie elsewhere. It may be nil.
	Link func(path string)

	// LeftOut is filled with what is left out. It may be nil.
	LeftOut *LeftOut
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
// A photo is a file whose name IsPhoto knows, or whose name is nearly that of a
// photo and which has a picture in it (see formats.go). Left out are hidden files
// and folders (a leading dot) and folders in which other programs keep copies,
// deleted files or older states (see derived.go), unless opts decides otherwise.
//
// The order is stable: depth first, each folder's entries sorted by their bytes.
// A name that a folder lists twice is one entry. Links to files are photos like
// others. Links to folders are followed after all that is really under root,
// again in the order of their paths, and no folder is entered twice by a link,
// so loops end and a photo's path does not change when somebody adds a link to
// its folder.
//
// Folders are told apart by their paths without links, never by inode numbers,
// which are alike for different folders on some network and merged file systems.
//
// Only one folder's names at a time (and those of its parents that are still
// to be visited) are held, and files with a photo's name are not touched: a
// million take about two seconds.
//
// It returns the first error found returns, ctx's error, or an error that says
// why root cannot be walked.
func Walk(ctx context.Context, root string, opts WalkOptions, found func(rel string) error) error {
	if opts.Tree != nil {
		w := newWalker(ctx, root, opts, found)
		defer w.out.sort()
		return w.folder(folder{rel: ".", real: root})
	}
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
	w := newWalker(ctx, root, opts, found)
	top := folder{rel: ".", real: realPath(root)}
	if w.skipped[top.real] {
		return fmt.Errorf("the photo folder %q is one of the run's own folders: give another work folder with -C", root)
	}
	defer w.out.sort()
	w.entered.add(top.real)
	if err := w.folder(top); err != nil {
		return err
	}
	return w.followLinks()
}

type walker struct {
	WalkOptions
	ctx   context.Context
	root  string
	found func(string) error
	out   *LeftOut

	entered  paths           // folders
	skipped  map[string]bool // files and folders to leave out, by path without links
	skipName map[string]bool // the names of those
	links    []waitingLink   // to folders
}

func newWalker(ctx context.Context, root string, opts WalkOptions, found func(string) error) *walker {
	w := &walker{WalkOptions: opts, ctx: ctx, root: root, found: found, out: opts.LeftOut,
		entered: newPaths(), skipped: make(map[string]bool), skipName: make(map[string]bool)}
	if w.Problem == nil {
		w.Problem = func(Problem) {}
	}
	if w.Enter == nil {
		w.Enter = func(string) {}
	}
	if w.Link == nil {
		w.Link = func(string) {}
	}
	if w.Warn == nil {
		w.Warn = func(string, error) {}
	}
	if w.Known == nil {
		w.Known = func(string) bool { return false }
	}
	if w.out == nil {
		w.out = &LeftOut{}
	}
	if opts.Tree != nil {
		return w
	}
	for _, p := range opts.Skip {
		info, err := os.Stat(p)
		if err != nil {
			continue
		}
		real := realPath(p)
		if !info.IsDir() { // the name that is in the folder, be it a link's
			real = fsutil.Join(realPath(filepath.Dir(p)), filepath.Base(p))
		}
		w.skipped[real] = true
		w.skipName[filepath.Base(real)] = true
	}
	return w
}

// folder is one that is being visited.
type folder struct {
	rel     string       // relative to the root, "." for it
	real    string       // its path without links
	ignores []ignoreFile // what holds in it, the deepest last
	linked  bool         // a link led to it, so there may be other ways to it
	entries []entry
}

// prefix is what the paths of the entries begin with.
func (f *folder) prefix() string {
	if f.rel == "." {
		return ""
	}
	return f.rel + "/"
}

// entry is one name in a folder that may matter.
type entry struct {
	name string
	typ  fs.FileMode // type bits
	kind treatment   // by its name, of a file or a link
}

// full is the path by which the system knows rel. It is put together by hand
// because filepath.Join would clean what the user wrote, and "a/../b" may not
// be "b" where a is a link.
func (w *walker) full(rel string) string {
	if rel == "." {
		return w.root
	}
	return fsutil.Join(w.root, rel)
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
	w.Problem(Problem{rel, folder, Errorf(Unreadable, w.full(rel), "%s: %w", what, err)})
}

// folder visits what is in a folder that has been entered.
func (w *walker) folder(f folder) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	w.Enter(f.rel)
	if err := w.list(&f); err != nil {
		w.report(f.rel, true, err) // whatever was read before the error is still visited
	}
	prefix := f.prefix()
	for i := range f.entries {
		e := &f.entries[i]
		if w.skipName[e.name] && w.skipped[fsutil.Join(f.real, e.name)] {
			continue
		}
		if i%1024 == 0 {
			if err := w.ctx.Err(); err != nil {
				return err
			}
		}
		if err := w.visit(&f, prefix+e.name, e); err != nil {
			return err
		}
		if !e.typ.IsDir() { // folders are asked for by their neighbours
			e.name = "" // the caller keeps what it needs
		}
	}
	return nil
}

// list reads a folder's names, keeps those that may matter, and sorts them. It
// reads in portions, so that the system's fuller records of a folder of a
// million files are never held together.
func (w *walker) list(f *folder) error {
	all := w.mayInclude(f)
	ignores, err := w.read(f, all)
	if ignores {
		w.addIgnores(f)
		// A file that is to be included may have been passed over.
		if !all && w.mayInclude(f) {
			f.entries = nil
			_, err = w.read(f, true)
		}
	}
	slices.SortFunc(f.entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	// A folder that changes, or one that is several merged, may list a name twice. In a Tree a file and a folder may have one name.
	f.entries = slices.CompactFunc(f.entries, func(a, b entry) bool { return a.name == b.name && (w.Tree == nil || a.typ == b.typ) })
	return err
}

// read reads a folder's names, all of them or those that may matter. It reports
// whether there is an IgnoreName among them.
func (w *walker) read(f *folder, all bool) (ignores bool, err error) {
	if w.Tree != nil {
		err := w.Tree.ReadDir(f.rel, func(name string, folder bool) {
			e := entry{name: name}
			if folder {
				e.typ = fs.ModeDir
			}
			ignores = ignores || name == IgnoreName && !folder
			if e.matters() || all {
				f.entries = append(f.entries, e)
			}
		})
		return ignores, err
	}
	d, err := os.Open(w.full(f.rel))
	if err != nil {
		return false, err
	}
	defer d.Close()
	for {
		portion, err := d.ReadDir(4096)
		for _, d := range portion {
			e := entry{name: d.Name(), typ: d.Type()}
			ignores = ignores || e.name == IgnoreName
			if e.matters() || all {
				f.entries = append(f.entries, e)
			}
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if err != nil || len(portion) == 0 {
			return ignores, err
		}
	}
}

// matters reports whether an entry may be, or lead to, a photo, or is counted.
// It fills in e.kind.
func (e *entry) matters() bool {
	hidden := strings.HasPrefix(e.name, ".")
	switch {
	case e.typ.IsDir():
		return true
	case hidden:
		e.kind = hiddenKind(e.name)
	default:
		e.kind = kindOfName(e.name)
	}
	// What a link leads to is seen later.
	return e.kind != notPhoto || e.typ&fs.ModeSymlink != 0 && !hidden
}

func (w *walker) visit(f *folder, rel string, e *entry) error {
	switch {
	case e.typ.IsDir():
		return w.subfolder(f, rel, e.name)
	case e.typ&fs.ModeSymlink != 0:
		return w.link(f, rel, e)
	}
	return w.file(f, rel, e, false)
}

// subfolder visits a real folder, unless it is left out.
func (w *walker) subfolder(f *folder, rel, name string) error {
	real := fsutil.Join(f.real, name)
	if w.leavesOut(f, rel, name) {
		return nil
	}
	// By links there may be several ways to it.
	if isNew := w.entered.add(real); f.linked && !isNew {
		return nil
	}
	return w.folder(folder{rel: rel, real: real, ignores: f.ignores, linked: f.linked})
}

// NotRegular is the error for a path that is something else than a file: what
// must not be opened, because reading it may never end.
func NotRegular(path string, mode fs.FileMode) *Error {
	return Errorf(Unreadable, path, "%w", &fsutil.NotRegularError{Mode: mode})
}

package watch

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// fakeFS is a tree in memory with times of its own.
type fakeFS struct {
	mu    sync.Mutex
	nodes map[string]*node
	calls int
	hang  chan struct{} // Stat waits for it, if it is not nil
}

type node struct {
	name  string
	dir   bool
	size  int64
	mtime time.Time
	id    int
}

func (n *node) Name() string { return n.name }
func (n *node) Size() int64  { return n.size }
func (n *node) Mode() fs.FileMode {
	if n.dir {
		return fs.ModeDir
	}
	return 0
}
func (n *node) Type() fs.FileMode          { return n.Mode() }
func (n *node) ModTime() time.Time         { return n.mtime }
func (n *node) IsDir() bool                { return n.dir }
func (n *node) Sys() any                   { return nil }
func (n *node) Info() (fs.FileInfo, error) { return n, nil }

func (f *fakeFS) get(name string) (fs.FileInfo, error) {
	f.mu.Lock()
	f.calls++
	hang := f.hang
	n, ok := f.nodes[name]
	var copied node
	if ok {
		copied = *n
	}
	f.mu.Unlock()
	if hang != nil {
		<-hang
	}
	if !ok {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return &copied, nil
}

func (f *fakeFS) Stat(name string) (fs.FileInfo, error)  { return f.get(name) }
func (f *fakeFS) Lstat(name string) (fs.FileInfo, error) { return f.get(name) }
func (f *fakeFS) Same(a, b fs.FileInfo) bool             { return a.(*node).id == b.(*node).id }

func (f *fakeFS) List(name string, each func(fs.DirEntry) bool) error {
	if _, err := f.get(name); err != nil {
		return err
	}
	f.mu.Lock()
	var list []*node
	for p, n := range f.nodes {
		if path.Dir(p) == name && p != name {
			copied := *n
			list = append(list, &copied)
		}
	}
	f.mu.Unlock()
	for _, n := range list {
		if !each(n) {
			break
		}
	}
	return nil
}

// put writes a file or, if its name has no dot, makes a folder. Its folder changes at the same time if the name is new.
func (f *fakeFS) put(name string, size int64, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.nodes == nil {
		f.nodes = map[string]*node{}
	}
	before := f.nodes[name]
	n := &node{name: path.Base(name), dir: !strings.Contains(path.Base(name), "."), size: size, mtime: at, id: len(name)*1000 + len(f.nodes)}
	if before != nil {
		n.id = before.id
	} else if parent := f.nodes[path.Dir(name)]; parent != nil {
		parent.mtime = at
	}
	f.nodes[name] = n
}

func (f *fakeFS) remove(name string, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p := range f.nodes {
		if p == name || strings.HasPrefix(p, name+"/") {
			delete(f.nodes, p)
		}
	}
	if parent := f.nodes[path.Dir(name)]; parent != nil {
		parent.mtime = at
	}
}

// folders are the folders at and below a path, as a walk enters them.
func (f *fakeFS) folders(root string) (list []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range slices.Sorted(maps.Keys(f.nodes)) {
		if f.nodes[p].dir && (p == root || strings.HasPrefix(p, root+"/")) {
			rel := strings.TrimPrefix(strings.TrimPrefix(p, root), "/")
			if rel == "" {
				rel = "."
			}
			list = append(list, rel)
		}
	}
	return list
}

// handClock is set by hand.
type handClock struct {
	wall    time.Time
	elapsed time.Duration
}

func (c *handClock) clock() Clock {
	return Clock{Wall: func() time.Time { return c.wall }, Elapsed: func() time.Duration { return c.elapsed }}
}

func (c *handClock) pass(d time.Duration) { c.wall, c.elapsed = c.wall.Add(d), c.elapsed+d }

func isJPEG(name string) bool { return strings.HasSuffix(name, ".jpg") }

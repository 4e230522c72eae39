package faultfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// ErrUnavailable means that this machine cannot mount FUSE file systems.
var ErrUnavailable = errors.New("FUSE is not available")

// Mount shows the folder source at the existing folder at until unmount is called.
// The error wraps ErrUnavailable if the machine has no FUSE.
func Mount(fault Fault, source, at string) (unmount func() error, err error) {
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	fs := &faulty{RawFileSystem: fuse.NewDefaultRawFileSystem(), fault: fault,
		paths: map[uint64]string{fuse.FUSE_ROOT_ID: source}, ids: map[string]uint64{source: fuse.FUSE_ROOT_ID}}
	server, err := fuse.NewServer(fs, at, &fuse.MountOptions{
		FsName: "faultfs", Name: "faultfs", DirectMount: true, DisableReadDirPlus: true, DisableXAttrs: true,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	go server.Serve()
	if err := server.WaitMount(); err != nil {
		return nil, err
	}
	return server.Unmount, nil
}

// faulty passes on the content of a folder, with a fault. It keeps all nodes.
type faulty struct {
	fuse.RawFileSystem
	fault Fault

	mu      sync.Mutex
	paths   map[uint64]string // paths by node ID
	ids     map[string]uint64 // node IDs by path
	opened  map[uint64]*os.File
	listed  map[uint64][]fuse.DirEntry
	handles uint64
}

func (f *faulty) path(node uint64) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.paths[node]
}

func (f *faulty) node(path string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	id, ok := f.ids[path]
	if !ok {
		id = uint64(len(f.ids)) + fuse.FUSE_ROOT_ID
		f.ids[path], f.paths[id] = id, path
	}
	return id
}

func (f *faulty) inode(path string, folder bool, real uint64) uint64 {
	switch {
	case f.fault == InodesZero:
		return 0
	case f.fault == InodesSame:
		return 7
	case f.fault == InodesAlike && folder:
		return 100 + uint64(len(filepath.Base(path)))
	}
	return real
}

func (f *faulty) attributes(path string, out *fuse.Attr) fuse.Status {
	var st syscall.Stat_t
	if err := syscall.Lstat(path, &st); err != nil {
		return fuse.ToStatus(err)
	}
	out.FromStat(&st)
	folder := st.Mode&syscall.S_IFMT == syscall.S_IFDIR
	out.Ino = f.inode(path, folder, st.Ino)
	if f.fault == SizesZero && st.Mode&syscall.S_IFMT == syscall.S_IFREG {
		out.Size, out.Blocks = 0, 0
	}
	return fuse.OK
}

func (f *faulty) Lookup(_ <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	path := filepath.Join(f.path(header.NodeId), name)
	if status := f.attributes(path, &out.Attr); status != fuse.OK {
		return status
	}
	out.NodeId = f.node(path)
	return fuse.OK
}

func (f *faulty) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return f.attributes(f.path(in.NodeId), &out.Attr)
}

func (f *faulty) Access(<-chan struct{}, *fuse.AccessIn) fuse.Status { return fuse.OK }

func (f *faulty) Readlink(_ <-chan struct{}, header *fuse.InHeader) ([]byte, fuse.Status) {
	to, err := os.Readlink(f.path(header.NodeId))
	return []byte(to), fuse.ToStatus(err)
}

func (f *faulty) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	out.Bsize, out.NameLen = 4096, 255
	return fuse.OK
}

// handle stores v under a new file handle, which it returns.
func handle[T any](f *faulty, m *map[uint64]T, v T) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *m == nil {
		*m = make(map[uint64]T)
	}
	f.handles++
	(*m)[f.handles] = v
	return f.handles
}

func (f *faulty) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if f.fault == OpensFail {
		return fuse.Status(syscall.ESTALE)
	}
	file, err := os.Open(f.path(in.NodeId))
	if err != nil {
		return fuse.ToStatus(err)
	}
	out.Fh = handle(f, &f.opened, file)
	if f.fault == SizesZero { // otherwise the kernel does not read beyond the size
		out.OpenFlags |= fuse.FOPEN_DIRECT_IO
	}
	return fuse.OK
}

func (f *faulty) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	f.mu.Lock()
	file := f.opened[in.Fh]
	f.mu.Unlock()
	n, err := file.ReadAt(buf, int64(in.Offset))
	if n == 0 && err != nil && !errors.Is(err, os.ErrClosed) {
		return fuse.ReadResultData(nil), fuse.OK // the end
	}
	return fuse.ReadResultData(buf[:n]), fuse.OK
}

func (f *faulty) Release(_ <-chan struct{}, in *fuse.ReleaseIn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened[in.Fh].Close()
	delete(f.opened, in.Fh)
}

func (f *faulty) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	dir := f.path(in.NodeId)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fuse.ToStatus(err)
	}
	var list []fuse.DirEntry
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		var st syscall.Stat_t
		if err := syscall.Lstat(path, &st); err != nil {
			return fuse.ToStatus(err)
		}
		one := fuse.DirEntry{Name: e.Name(), Mode: st.Mode, Ino: f.inode(path, e.IsDir(), st.Ino)}
		switch f.fault {
		case TypesHidden:
			one.Mode = 0
		case NamesTwice:
			list = append(list, one)
		}
		list = append(list, one)
	}
	for i := range list {
		list[i].Off = uint64(i) + 1
	}
	out.Fh = handle(f, &f.listed, list)
	return fuse.OK
}

func (f *faulty) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	f.mu.Lock()
	list := f.listed[in.Fh]
	f.mu.Unlock()
	for i := int(in.Offset); i < len(list); i++ {
		if f.fault == ListBreaks && i >= 2 {
			if i == int(in.Offset) {
				return fuse.EIO
			}
			return fuse.OK
		}
		if !out.AddDirEntry(list[i]) {
			break
		}
	}
	return fuse.OK
}

func (f *faulty) ReleaseDir(in *fuse.ReleaseIn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.listed, in.Fh)
}

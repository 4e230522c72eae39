package browse

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"

	"photodesc/tracker"

	"github.com/google/renameio/v2"
)

// This file keeps the library in the cache folder, so that a hundred thousand result lines are
// not parsed at each start. It may be removed at any time. What was added to the outputs since
// is read by library.update, which also notices outputs that were changed.

// catalogueLayout is the number of the file's form. A file of another form is not used.
const catalogueLayout = "photodesc catalogue 4\n"

// catalogueLimit bounds the file; a million photos have some 100 MB.
const catalogueLimit = 1 << 30

var errCatalogue = errors.New("the catalogue cannot be used")

// load reads a catalogue. Where there is none that can be used, the library stays empty.
func (l *library) load(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > catalogueLimit {
		return errCatalogue
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	body, ok := bytes.CutPrefix(b, []byte(catalogueLayout))
	if !ok || len(body) < 4 || crc32.ChecksumIEEE(body[4:]) != binary.LittleEndian.Uint32(body) {
		return errCatalogue
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.parse(body[4:]); err != nil {
		l.reset()
		return err
	}
	l.version++
	l.sorted.version = l.version
	return nil
}

func (l *library) parse(b []byte) error {
	r := catalogueReader{b: b, text: string(b)}
	if r.string() != l.old.mark {
		return errCatalogue
	}
	for range r.count() {
		name := r.string()
		l.positions[name] = tracker.Position{Offset: r.int(), Mark: r.string()}
	}
	files := make([]string, r.count())
	for i := range files {
		files[i] = r.string()
	}
	folders := make([]string, r.count())
	for i := range folders {
		folders[i] = r.string()
	}
	for range r.count() {
		l.wordID(r.string())
	}
	n := r.count()
	all := make([]entry, n)
	l.photos = make([]*entry, 0, n)
	l.byPath, l.byID = make(map[string]*entry, n), make(map[photoID]*entry, n)
	for i := range all {
		e := &all[i]
		e.id = photoID(r.uint())
		e.path = r.string()
		e.original = r.string()
		folder, file := r.count(), 0
		flags := uint64(0)
		e.width, e.height, flags = int32(r.int()), int32(r.int()), r.uint()
		e.failed, e.corrected = flags&1 != 0, flags&2 != 0
		e.taken, e.done, e.end = r.int(), r.int(), r.int()
		file = r.count()
		if words := r.count(); words > 0 && r.err == nil {
			e.keywords = make([]int32, words)
			for j := range e.keywords {
				e.keywords[j] = int32(r.count())
			}
		}
		if r.err != nil || folder >= len(folders) || file >= len(files) || slices.ContainsFunc(e.keywords, func(w int32) bool { return int(w) >= len(l.words) }) {
			return errCatalogue
		}
		e.folder, e.file = folders[folder], files[file]
		l.photos = append(l.photos, e)
		l.byPath[e.path], l.byID[e.id] = e, e
		l.copies.add(e)
	}
	l.sorted.byDate = make([]*entry, n)
	for i := range l.sorted.byDate {
		at := r.count()
		if r.err != nil || at >= n {
			return errCatalogue
		}
		l.sorted.byDate[i] = l.photos[at]
	}
	return r.err
}

// save writes the catalogue.
func (l *library) save(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	body := l.encode()
	f, err := renameio.NewPendingFile(name, renameio.WithTempDir(filepath.Dir(name)), renameio.WithPermissions(0o600))
	if err != nil {
		return err
	}
	defer func() { _ = f.Cleanup() }()
	w := bufio.NewWriter(f)
	_, _ = w.WriteString(catalogueLayout)
	_, _ = w.Write(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(body)))
	_, _ = w.Write(body)
	if err := w.Flush(); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}

func (l *library) encode() []byte {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var w catalogueWriter
	w.string(l.old.mark)
	w.uint(uint64(len(l.positions)))
	for name, p := range l.positions {
		w.string(name)
		w.int(p.Offset)
		w.string(p.Mark)
	}
	files, folders := numbering{}, numbering{}
	for _, e := range l.photos {
		files.of(e.file)
		folders.of(e.folder)
	}
	for _, list := range [][]string{files.names, folders.names, l.words} {
		w.uint(uint64(len(list)))
		for _, s := range list {
			w.string(s)
		}
	}
	w.uint(uint64(len(l.photos)))
	for _, e := range l.photos {
		w.uint(uint64(e.id))
		w.string(e.path)
		w.string(e.original)
		w.uint(uint64(folders.of(e.folder)))
		w.int(int64(e.width))
		w.int(int64(e.height))
		flags := uint64(0)
		if e.failed {
			flags |= 1
		}
		if e.corrected {
			flags |= 2
		}
		w.uint(flags)
		w.int(e.taken)
		w.int(e.done)
		w.int(e.end)
		w.uint(uint64(files.of(e.file)))
		w.uint(uint64(len(e.keywords)))
		for _, word := range e.keywords {
			w.uint(uint64(word))
		}
	}
	places := make(map[*entry]int, len(l.photos))
	for i, e := range l.photos {
		places[e] = i
	}
	for _, e := range l.inOrder(orderTaken) { // sorting takes longer than reading
		w.uint(uint64(places[e]))
	}
	return w.b
}

// numbering gives names numbers.
type numbering struct {
	names []string
	ids   map[string]int
}

func (n *numbering) of(name string) int {
	id, known := n.ids[name]
	if !known {
		if n.ids == nil {
			n.ids = map[string]int{}
		}
		id = len(n.names)
		n.names, n.ids[name] = append(n.names, name), id
	}
	return id
}

type catalogueWriter struct{ b []byte }

func (w *catalogueWriter) uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }
func (w *catalogueWriter) int(n int64)   { w.b = binary.AppendVarint(w.b, n) }
func (w *catalogueWriter) string(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

// catalogueReader reads what catalogueWriter writes. After an error everything is zero.
type catalogueReader struct {
	b    []byte
	text string // the same bytes; strings are parts of it
	at   int
	err  error
}

func (r *catalogueReader) uint() uint64 {
	n, size := binary.Uvarint(r.b[r.at:])
	return uint64(r.advance(n, size))
}

func (r *catalogueReader) int() int64 {
	n, size := binary.Varint(r.b[r.at:])
	return int64(r.advance(uint64(n), size))
}

func (r *catalogueReader) advance(n uint64, size int) uint64 {
	if size <= 0 || r.err != nil {
		r.err = errCatalogue
		return 0
	}
	r.at += size
	return n
}

// count reads a number of things or a place in a list, which is never above the number of bytes.
func (r *catalogueReader) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) || n > math.MaxInt32 {
		r.err = errCatalogue
		return 0
	}
	return int(n)
}

func (r *catalogueReader) string() string {
	n := r.count()
	if r.err != nil || n > len(r.b)-r.at {
		r.err = errCatalogue
		return ""
	}
	r.at += n
	return r.text[r.at-n : r.at]
}

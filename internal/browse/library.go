package browse

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"photodesc/tracker"
)

// photoID names a photo in addresses. It is made of the path, so that it stays the same.
type photoID uint64

func (id photoID) String() string { return strconv.FormatUint(uint64(id), 16) }

// parseID reads what String writes.
func parseID(s string) (photoID, error) {
	n, err := strconv.ParseUint(s, 16, 64)
	return photoID(n), err
}

// entry is what is kept in memory of each photo; the rest is read from its result line.
type entry struct {
	id     photoID
	path   string // any bytes
	folder string
	width  int32 // pixels; 0: not known
	height int32
	failed bool
	// corrected is whether a person's words count; the keywords are then theirs.
	corrected bool
	keywords  []int32 // numbers in library.words
	taken     int64   // Unix seconds, as if the camera's clock were UTC; 0: not known
	done      int64   // when it was described, Unix seconds
	original  string  // path of the photo with the same picture whose words these are; "": its own
	file      string  // the output with its newest result line
	end       int64   // behind that line, in bytes
}

// library is all photos that have a result, in the order of their newest ones. Its methods may be
// called concurrently.
type library struct {
	dir string // workdir

	mu          sync.RWMutex
	positions   map[string]tracker.Position
	photos      []*entry
	byPath      map[string]*entry
	byID        map[photoID]*entry
	words       []string // keywords
	wordIDs     map[string]int32
	corrections corrected
	old         *oldDates
	copies      copies
	gone        *tracker.Gone
	goneMark    string
	version     int // grows with each change
	sorted      sorted
}

func newLibrary(dir string) *library {
	l := &library{dir: dir}
	l.reset()
	return l
}

func (l *library) reset() {
	l.positions, l.photos = map[string]tracker.Position{}, nil
	l.byPath, l.byID = map[string]*entry{}, map[photoID]*entry{}
	l.words, l.wordIDs, l.copies = nil, map[string]int32{}, copies{}
	l.corrections, l.sorted.byDate, l.sorted.byPath = corrected{}, nil, nil
	l.old = newOldDates(l.dir)
}

// update reads the result lines that were added since the last update. Where the outputs were
// changed, it reads all of them again.
func (l *library) update() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.old.changed() {
		l.reset()
		l.version++
	}
	err := l.follow()
	if errors.Is(err, tracker.ErrOutputsChanged) {
		l.reset()
		l.version++
		err = l.follow()
	}
	if err != nil {
		return err
	}
	l.readGone()
	return l.readCorrections()
}

func (l *library) follow() error {
	added := false
	err := tracker.Follow(l.dir, l.positions, func(file string, r tracker.Record, after tracker.Position) error {
		l.positions[file] = after
		l.add(file, &r, after.Offset)
		added = true
		return nil
	}, func(string, int64, error) {}) // search and summary tell of lines that cannot be read
	if added {
		l.version++
		// A photo that was described again moves to the end; one that was forgotten goes.
		l.photos = slices.DeleteFunc(l.photos, func(e *entry) bool { return e != l.byID[e.id] })
	}
	return err
}

// add takes a result line. The newest description counts; a failure counts only for a photo
// that was never described. A photo that was forgotten, as one that was moved, is taken out.
func (l *library) add(file string, r *tracker.Record, end int64) {
	old := l.byPath[r.Path]
	if r.Status == tracker.Forgotten {
		if old != nil {
			delete(l.byPath, old.path)
			delete(l.byID, old.id)
		}
		return
	}
	failed := r.Status != tracker.OK
	if old != nil && !old.failed && failed {
		return
	}
	e := &entry{path: r.Path, folder: path.Dir(r.Path), failed: failed, width: int32(r.Width), height: int32(r.Height),
		done: r.Time.Unix(), file: file, end: end}
	if e.folder == "." {
		e.folder = ""
	}
	if old != nil {
		e.id, e.path, e.folder = old.id, old.path, old.folder // the same bytes, kept once
	} else {
		e.id = l.newID(r.Path)
	}
	l.old.fill(r)
	if t, _, err := tracker.ParseTaken(r.Taken); r.Taken != "" && err == nil {
		// The camera's clock counts, wherever it was.
		e.taken = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC).Unix()
	}
	e.keywords = l.wordsOf(r.Keywords)
	if l.corrections.all != nil {
		l.correct(e)
	}
	e.original = r.Of
	l.byPath[e.path], l.byID[e.id] = e, e
	l.photos = append(l.photos, e)
	l.copies.add(e)
	if r.From != "" {
		l.copies.renamed(r.From, r.Path)
	}
}

func (l *library) newID(path string) photoID {
	for try := byte(0); ; try++ {
		sum := sha256.Sum256(append([]byte(path), 0, try))
		id := photoID(binary.BigEndian.Uint64(sum[:]))
		if l.byID[id] == nil {
			return id
		}
	}
}

func (l *library) wordsOf(words []string) (ids []int32) {
	for _, w := range words {
		ids = append(ids, l.wordID(w))
	}
	return ids
}

func (l *library) wordID(word string) int32 {
	id, known := l.wordIDs[word]
	if !known {
		id = int32(len(l.words))
		l.words, l.wordIDs[word] = append(l.words, word), id
	}
	return id
}

// find returns a photo, nil if there is none.
func (l *library) find(id photoID) *entry {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.byID[id]
}

// The orders in which photos are shown.
const (
	orderTaken = "taken" // the newest first; those without a date follow
	orderDone  = "done"  // described last first
	orderPath  = "path"
)

// view is which photos are shown, in which order.
type view struct {
	folder    string
	from, to  int64 // of the date, Unix seconds; 0: open
	keyword   string
	failed    bool
	corrected bool
	copies    bool // duplicates only
	gone      bool // photos that are gone only; else none of them
	order     string
}

// narrows is whether a view leaves out photos that the search index cannot leave out.
func (v view) narrows() bool {
	return v.keyword != "" || v.failed || v.corrected || v.copies || v.gone || v.from != 0 || v.to != 0
}

// list returns the photos of a view. With paths, only those, in their order.
func (l *library) list(v view, paths []string) []*entry {
	l.mu.RLock()
	defer l.mu.RUnlock()
	word := int32(-1)
	if v.keyword != "" {
		id, known := l.wordIDs[v.keyword]
		if !known {
			return nil
		}
		word = id
	}
	below := v.folder + "/"
	fits := func(e *entry) bool {
		return (v.folder == "" || e.folder == v.folder || strings.HasPrefix(e.folder, below)) &&
			(!v.failed || e.failed) && (!v.corrected || e.corrected) && (!v.copies || e.original != "") && v.gone == l.gone.Has(e.path) &&
			(word < 0 || slices.Contains(e.keywords, word)) &&
			(v.from == 0 || e.date() >= v.from) && (v.to == 0 || e.date() < v.to)
	}
	var found []*entry
	if paths != nil {
		for _, p := range paths {
			if e := l.byPath[p]; e != nil && fits(e) {
				found = append(found, e)
			}
		}
		return found
	}
	all := l.inOrder(v.order)
	found = make([]*entry, 0, len(all))
	for _, e := range all {
		if fits(e) {
			found = append(found, e)
		}
	}
	return found
}

// sorted keeps the photos in the orders that take long to make.
type sorted struct {
	mu             sync.Mutex
	version        int
	byDate, byPath []*entry
}

// inOrder returns all photos. The caller does not change them. l.mu is held.
func (l *library) inOrder(order string) []*entry {
	s := &l.sorted
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version != l.version {
		s.version, s.byDate, s.byPath = l.version, nil, nil
	}
	switch order {
	case orderPath:
		if s.byPath == nil {
			s.byPath = slices.Clone(l.photos)
			slices.SortFunc(s.byPath, func(a, b *entry) int { return strings.Compare(a.path, b.path) })
		}
		return s.byPath
	case orderDone:
		all := slices.Clone(l.photos)
		slices.Reverse(all)
		return all
	}
	if s.byDate == nil {
		s.byDate = slices.Clone(l.photos)
		slices.SortFunc(s.byDate, func(a, b *entry) int {
			return cmp.Or(cmp.Compare(b.taken, a.taken), strings.Compare(a.path, b.path))
		})
	}
	return s.byDate
}

// date is when a photo was taken or, if that is not known, described.
func (e *entry) date() int64 { return cmp.Or(e.taken, e.done) }

// current is the version, which grows with each change.
func (l *library) current() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.version
}

// warm makes the order that is shown first.
func (l *library) warm() {
	l.mu.RLock()
	defer l.mu.RUnlock()
	l.inOrder(orderTaken)
}

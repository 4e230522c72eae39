package tracker

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"sync"

	"photodesc/internal/fsutil"
)

// Pictures finds described photos by their pictures: those that a run's settings described. An entry takes 16 bytes: of the
// picture 64 bits, and where its line ends. A line that is found is read and compared as a whole, so that entries need not be
// unique, and lines that count no more need not be removed.
type Pictures struct {
	t     *Tracker
	ready chan struct{} // closed when the outputs of earlier runs are read

	mu     sync.Mutex
	files  []string // below the workdir; places count them
	sorted []pictureAt
	fresh  map[uint64]place // of this run, those that are not in sorted
	own    int              // number of the run's own output in files, -1: there is none yet
}

type pictureAt struct {
	sum uint64
	at  place
}

// place is where a line ends: the number of its file, and bytes.
type place uint64

const (
	placeBits = 44 // 16 TiB of an output file
	maxFiles  = 1<<(64-placeBits) - 1
)

// freshPictures is how many entries are kept apart before they are sorted in.
const freshPictures = 1 << 16

// triedPictures bounds how many lines of one picture are read before none is taken.
const triedPictures = 8

// Pictures begins to index the pictures of photos that are described. It comes after [Tracker.Use] and reads the outputs of
// earlier runs in the background. Of a second call the result is the same.
func (t *Tracker) Pictures() *Pictures {
	t.commits.Lock()
	defer t.commits.Unlock()
	if t.pictures == nil {
		t.pictures = &Pictures{t: t, ready: make(chan struct{}), fresh: map[uint64]place{}, own: -1}
		files, _ := outputFiles(t.dir) // what cannot be read is not shared
		go t.pictures.read(files)
	}
	return t.pictures
}

// Find returns the newest record of a photo with the picture that the run's settings described in the same context; "" is none.
// It waits until the outputs of earlier runs are read.
func (p *Pictures) Find(picture, context string) (Record, bool) {
	sum, ok := pictureSum([]byte(picture), context)
	if !ok {
		return Record{}, false
	}
	<-p.ready
	for i, at := range p.places(sum) {
		if i >= triedPictures {
			break
		}
		p.mu.Lock()
		file := p.files[at>>placeBits]
		p.mu.Unlock()
		r, err := RecordAt(p.t.dir, file, int64(at&(1<<placeBits-1)))
		if err == nil && r.Status == OK && r.File != nil && r.File.Picture == picture && r.Context == context && p.t.isCurrent(&r) {
			return r, true
		}
	}
	return Record{}, false
}

// isCurrent is whether a record is the one that counts of its path, and of the run's settings.
func (t *Tracker) isCurrent(r *Record) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.photos[keyOf(r.Path)]
	return r.Settings == t.id && m.described() && m&hasResult != 0 && m.settingsID() == t.settingsID && m.stamp() == stampOf(r.File)
}

// places are those of a picture's lines, newest first.
func (p *Pictures) places(sum uint64) (list []place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, _ := slices.BinarySearchFunc(p.sorted, sum, func(e pictureAt, sum uint64) int { return cmp.Compare(e.sum, sum) })
	for ; i < len(p.sorted) && p.sorted[i].sum == sum; i++ {
		list = append(list, p.sorted[i].at)
	}
	slices.Reverse(list)
	if at, ok := p.fresh[sum]; ok {
		list = slices.Insert(list, 0, at)
	}
	return list
}

// pictureSum is 64 bits of a picture's hash and its context; ok is false where there is no hash.
func pictureSum(picture []byte, context string) (sum uint64, ok bool) {
	var b [16]byte
	if len(picture) != 2*len(b) {
		return 0, false
	}
	if _, err := hex.Decode(b[:], picture); err != nil {
		return 0, false
	}
	sum = binary.BigEndian.Uint64(b[:])
	for _, c := range []byte(context) { // FNV-1a
		sum = (sum ^ uint64(c)) * 0x100000001b3
	}
	return sum, true
}

// read indexes the outputs of earlier runs. What this run writes meanwhile is added by add.
func (p *Pictures) read(files []string) {
	defer close(p.ready)
	id := []byte(p.t.id)
	var all []pictureAt
	for _, path := range files {
		n := p.number(relative(p.t.dir, path))
		if n < 0 {
			break
		}
		_ = eachLine(path, func(line []byte, end int64) {
			if sum, ok := linePicture(line, id); ok {
				all = append(all, pictureAt{sum, place(n)<<placeBits | place(end)})
			}
		})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sorted = append(p.sorted, all...)
	p.sort()
}

func (p *Pictures) sort() {
	slices.SortFunc(p.sorted, func(a, b pictureAt) int {
		return cmp.Or(cmp.Compare(a.sum, b.sum), cmp.Compare(a.at, b.at))
	})
	p.sorted = slices.Clip(p.sorted)
}

// number is that of a file, which is added to the list; -1: there are too many.
func (p *Pictures) number(file string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.files, file); i >= 0 {
		return i
	}
	if len(p.files) >= maxFiles {
		return -1
	}
	p.files = append(p.files, file)
	return len(p.files) - 1
}

// add indexes a record that was written to the run's output; end is where its line ends. t.commits is held.
func (p *Pictures) add(r *Record, end int64) {
	if r.Status != OK || r.File == nil || r.Settings != p.t.id {
		return
	}
	sum, ok := pictureSum([]byte(r.File.Picture), r.Context)
	if !ok {
		return
	}
	if p.own < 0 {
		if p.own = p.number(relative(p.t.dir, p.t.output.path)); p.own < 0 {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.fresh[sum]; known && r.IsDuplicate() {
		return // the one whose words these are is there
	}
	p.fresh[sum] = place(p.own)<<placeBits | place(end)
	if len(p.fresh) < freshPictures {
		return
	}
	for sum, at := range p.fresh {
		p.sorted = append(p.sorted, pictureAt{sum, at})
	}
	p.fresh = map[uint64]place{}
	p.sort()
}

var (
	pictureHead = []byte(`,"picture":"`)
	contextHead = []byte(`,"context":`)
)

// linePicture returns the sum of an ok line's picture and context if the line is of the settings given. Inside of a string quotes are escaped, so
// nothing is taken from one. The whole line is checked when it is read.
func linePicture(line, settingsID []byte) (sum uint64, ok bool) {
	_, rest, ok := bytes.Cut(line, okMiddle)
	if !ok || !bytes.Equal(okLineSettingsID(rest), settingsID) {
		return 0, false
	}
	context := ""
	if _, text, told := bytes.Cut(rest, contextHead); told {
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(&context); err != nil {
			return 0, false
		}
	}
	return pictureSum(lineText(rest, pictureHead), context)
}

// lineText is the text behind a head, up to the next quote.
func lineText(line, head []byte) []byte {
	_, rest, ok := bytes.Cut(line, head)
	end := bytes.IndexByte(rest, '"')
	if !ok || end < 0 {
		return nil
	}
	return rest[:end]
}

// eachLine calls found with each line of a file that has its newline, without that, and with where it ends, in bytes.
func eachLine(path string, found func(line []byte, end int64)) error {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := lineReader{r: bufio.NewReaderSize(f, blockSize)}
	for {
		line, err := lines.next()
		switch {
		case err == nil:
			found(line, lines.at)
		case errors.Is(err, io.EOF):
			return nil
		case !errors.Is(err, errLongLine):
			return err
		}
	}
}

// countShared is how many described photos have the words of another. t.mu is held.
func (t *Tracker) countShared() (count int) {
	for k, m := range t.photos {
		if m&shared != 0 && t.done(k) {
			count++
		}
	}
	return count
}

// Copies returns the photos that have the words of others, by the paths of these, for those that match.
func Copies(dir string, match func(path string) bool) (map[string][]string, error) {
	maybe := map[string]bool{} // duplicates of a photo that matches, at one time
	parse := func(line []byte) (Record, error) {
		if !bytes.Contains(line, ofHead) {
			return Record{}, nil
		}
		return parseRecord(line)
	}
	err := readOutputs(dir, parse, func(_ string, _ int, r Record, err error) {
		if err == nil && r.IsDuplicate() && match(r.Of) {
			maybe[r.Path] = true
		}
	})
	if err != nil || len(maybe) == 0 {
		return nil, err
	}
	copies := map[string][]string{}
	err = Find(dir, func(path string) bool { return maybe[path] }, 0, func(r Record) error {
		if r.IsDuplicate() {
			copies[r.Of] = append(copies[r.Of], r.Path)
		}
		return nil
	})
	return copies, err
}

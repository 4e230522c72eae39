package photo

import (
	"cmp"
	"container/heap"
	"math"
	"os"
	"slices"
	"time"

	"photodesc/internal/fsutil"
)

// Picker collects photos, at most Limit of them: the first that are added or,
// with Newest, those that were changed last, the newest first.
type Picker struct {
	Root   string // the photo folder
	Limit  int    // 0 is all
	Newest bool

	Changed func(rel string) time.Time // when a photo was changed; nil asks the file system

	list  dated
	added int
}

// datedPhoto is a photo with what decides its place.
type datedPhoto struct {
	rel     string
	changed int64 // nanoseconds since 1970
	number  int   // in the order of adding
}

// before reports whether a is described before b.
func before(a, b datedPhoto) int {
	return cmp.Or(cmp.Compare(b.changed, a.changed), cmp.Compare(a.number, b.number))
}

// dated is a heap whose first photo is the one to drop.
type dated []datedPhoto

func (d dated) Len() int           { return len(d) }
func (d dated) Less(i, j int) bool { return before(d[i], d[j]) > 0 }
func (d dated) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *dated) Push(x any)        { *d = append(*d, x.(datedPhoto)) }
func (d *dated) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

// Add takes a photo, by its path relative to Root.
func (p *Picker) Add(rel string) {
	p.added++
	full := p.Limit > 0 && len(p.list) == p.Limit
	if full && !p.Newest {
		return
	}
	photo := datedPhoto{rel: rel, number: p.added}
	if p.Newest {
		if p.Changed != nil {
			photo.changed = p.Changed(rel).UnixNano()
		} else {
			photo.changed = changedAt(fsutil.Join(p.Root, rel))
		}
	}
	switch {
	case full && before(photo, p.list[0]) < 0:
		p.list[0] = photo
		heap.Fix(&p.list, 0)
	case full:
	case p.Limit > 0 && p.Newest:
		heap.Push(&p.list, photo)
	default:
		p.list = append(p.list, photo)
	}
}

// changedAt is when a file was last changed. One that cannot be asked comes last:
// describing it tells why.
func changedAt(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return math.MinInt64
	}
	return info.ModTime().UnixNano()
}

// Photos are those that were picked, in the order in which they are to be
// described, and how many were not. It is called once.
func (p *Picker) Photos() (picked []string, left int) {
	if p.Newest {
		slices.SortFunc(p.list, before)
	}
	for _, photo := range p.list {
		picked = append(picked, photo.rel)
	}
	left = p.added - len(p.list)
	p.list = nil
	return picked, left
}

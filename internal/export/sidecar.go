package export

import (
	"encoding/binary"
	"hash/maphash"
	"path"
	"strings"
)

// Beside is the path of the file that belongs to a photo: of "a/b.jpg" it is "a/b.txt" with the ending ".txt", or "a/b.jpg.txt"
// where the whole name is kept.
func Beside(photo, ending string, wholeName bool) string {
	if wholeName {
		return photo + ending
	}
	return stem(photo) + ending
}

// stem is a path without its ending. A name of an ending alone stays.
func stem(photo string) string {
	base := path.Base(photo)
	if cut := strings.TrimSuffix(base, path.Ext(base)); cut != "" {
		return strings.TrimSuffix(photo, path.Ext(base))
	}
	return photo
}

// trained are the endings of photos that trainers read, the commonest first. Of photos that differ in their ending only, the
// caption is for that one.
var trained = []string{".jpg", ".jpeg", ".png", ".webp", ".bmp"}

// Shared finds photos that would have the same caption file, as "b.jpg" and "b.cr2" have "b.txt". All photos are added first.
// A million of them take some 40 MB.
type Shared struct {
	There func(photo string) bool // whether a photo is in its folder; one that is comes before one that is not. May be nil

	seed  maphash.Seed
	first map[uint64]uint64
}

// Add adds a photo.
func (s *Shared) Add(photo string) {
	if s.first == nil {
		s.first, s.seed = map[uint64]uint64{}, maphash.MakeSeed()
	}
	key, rank := maphash.String(s.seed, stem(photo)), rankOf(photo)
	if known, has := s.first[key]; !has || s.before(photo, rank, known) {
		s.first[key] = rank
	}
}

// before is whether the file is for a photo rather than for the one with its name and another ending that is known.
func (s *Shared) before(photo string, rank, known uint64) bool {
	if rank == known || s.There == nil {
		return rank < known
	}
	here, other := s.There(photo), s.There(stem(photo)+endingOf(known))
	if here != other {
		return here
	}
	return rank < known
}

// First is whether a photo is the one of those with the same caption file for which that is.
func (s *Shared) First(photo string) bool {
	return s.first[maphash.String(s.seed, stem(photo))] == rankOf(photo)
}

// rankOf orders photos that differ in their ending only.
func rankOf(photo string) uint64 {
	ending := path.Ext(photo)
	rank := len(trained)
	for i, e := range trained {
		if strings.EqualFold(e, ending) {
			rank = i
		}
	}
	var b [8]byte
	b[0] = byte(rank)
	copy(b[1:], ending)
	return binary.BigEndian.Uint64(b[:])
}

// endingOf is the ending in a rank. All endings of photos are short enough to be whole in it.
func endingOf(rank uint64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], rank)
	return strings.TrimRight(string(b[1:]), "\x00")
}

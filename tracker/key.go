package tracker

import "crypto/sha256"

// key stands for a path in the sets of a run. A million paths would take some
// 100 MB as strings and take 30 MB as keys. It is 128 bits of a cryptographic
// hash because a collision would leave a photo silently undescribed: with 64
// bits a million photos collide once in thirty million runs by chance, and a
// weak hash would let somebody choose colliding file names. 128 bits of SHA-256
// rule out both.
type key [16]byte

func keyOf[T string | []byte](path T) key {
	sum := sha256.Sum256([]byte(path))
	return key(sum[:16])
}

// marks are the state of a photo: flags, above them the number of the settings it was described with, and above that the
// stamp of its file.
type marks uint64

const (
	inProgress marks = 1 << iota // it has a progress line
	hasResult                    // it has an ok result line
	pending                      // its lines are being written
	forgotten                    // its result counts no more
	seen                         // a walk has found it
	shared                       // its words are those of another photo with the same picture

	flagBits       = 6
	idBits         = 13
	flags          = 1<<flagBits - 1
	maxSettingsIDs = 1<<idBits - 1
)

func (m marks) settingsID() int { return int(m >> flagBits & maxSettingsIDs) }

func (m marks) stamp() stamp { return stamp(m >> (flagBits + idBits)) }

func (m marks) from(settingsID int, file stamp) marks {
	return m&flags | marks(settingsID)<<flagBits | marks(file)<<(flagBits+idBits)
}

// sharing is m with the mark that its words are another's, or without it.
func (m marks) sharing(is bool) marks {
	if is {
		return m | shared
	}
	return m &^ shared
}

// described is whether the photo has a description that counts.
func (m marks) described() bool { return m&inProgress != 0 && m&forgotten == 0 }

// stamp is a digest of a file's size and time of change, 0 where they are not known. It has 45 bits: that a change leaves it
// as it was happens once in 10^13 changes.
type stamp uint64

const stampBits = 64 - flagBits - idBits

func stampOf(f *PhotoFile) stamp {
	if f == nil || f.ModTime.IsZero() {
		return 0
	}
	x := uint64(f.Size)*0x9e3779b97f4a7c15 ^ uint64(f.ModTime.UnixNano())
	for i := range len(f.ETag) { // FNV-1a
		x = (x ^ uint64(f.ETag[i])) * 0x100000001b3
	}
	for _, by := range [...]uint64{0xbf58476d1ce4e5b9, 0x94d049bb133111eb} { // as in splitmix64
		x = (x ^ x>>30) * by
	}
	return max(1, stamp((x^x>>31)>>(64-stampBits)))
}

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

// marks are the state of a photo: flags, and above them the number of the
// settings it was described with.
type marks uint16

const (
	inProgress marks = 1 << iota // it has a progress line
	hasResult                    // it has an ok result line
	pending                      // its lines are being written

	flagBits       = 3
	flags          = 1<<flagBits - 1
	maxSettingsIDs = 1<<(16-flagBits) - 1
)

func (m marks) settingsID() int { return int(m >> flagBits) }

func (m marks) from(settingsID int) marks { return m&flags | marks(settingsID)<<flagBits }

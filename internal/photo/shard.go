package photo

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Shard is one of Of parts into which photos are divided by their paths, so that machines that share nothing
// describe each photo once. The zero value is all photos.
type Shard struct {
	Index int // from 0
	Of    int // 0 is no division
}

// ParseShard reads a shard as "3/8", the fourth of eight; "" is all photos.
func ParseShard(text string) (Shard, error) {
	if text == "" {
		return Shard{}, nil
	}
	index, of, _ := strings.Cut(text, "/")
	i, errIndex := strconv.Atoi(index)
	n, errOf := strconv.Atoi(of)
	switch {
	case errIndex != nil || errOf != nil || n < 1 || n > math.MaxInt32:
		return Shard{}, fmt.Errorf("%q is not a shard such as 0/8, the first of eight", text)
	case i < 0 || i >= n:
		return Shard{}, fmt.Errorf("there is no shard %q: shards are numbered from 0, here 0/%d to %d/%d", text, n, n-1, n)
	}
	return Shard{i, n}, nil
}

func (s Shard) String() string {
	if s.Of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Of)
}

// Has reports whether a photo, by its path relative to the photo folder, is in the shard: whether the first eight bytes of the
// SHA-256 of the path, as a big-endian number, leave Index when they are divided by Of. Other photos make no difference to it.
func (s Shard) Has(rel string) bool {
	if s.Of < 2 {
		return true
	}
	sum := sha256.Sum256([]byte(rel))
	return binary.BigEndian.Uint64(sum[:8])%uint64(s.Of) == uint64(s.Index)
}

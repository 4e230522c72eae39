package photo

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseShard(t *testing.T) {
	for text, want := range map[string]Shard{"": {}, "0/1": {0, 1}, "3/8": {3, 8}, "7/8": {7, 8}, "0/100000": {0, 100000}} {
		s, err := ParseShard(text)
		if err != nil || s != want || s.String() != text {
			t.Errorf("%q: %v %q %v", text, s, s.String(), err)
		}
	}
	for text, want := range map[string]string{
		"8/8": "numbered from 0, here 0/8 to 7/8", "-1/8": "numbered from 0", "3": "is not a shard", "/8": "is not a shard", "3/": "is not a shard",
		"3/0": "is not a shard", "a/b": "is not a shard", "1/2/3": "is not a shard", " 1/2": "is not a shard", "1/99999999999": "is not a shard",
	} {
		if _, err := ParseShard(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// Every photo is in one shard, shards are nearly alike in size, and the division is the same on every machine and in every version.
func TestShards(t *testing.T) {
	const photos, of = 8000, 8
	sizes := make([]int, of)
	for i := range photos {
		rel := fmt.Sprintf("2024/%02d/IMG_%05d.jpg", i%12, i)
		in := 0
		for n := range of {
			if (Shard{n, of}).Has(rel) {
				sizes[n]++
				in++
			}
		}
		if in != 1 {
			t.Fatalf("%q is in %d shards", rel, in)
		}
	}
	for n, size := range sizes {
		if size < photos/of*9/10 || size > photos/of*11/10 {
			t.Errorf("shard %d of %d has %d of %d photos", n, of, size, photos)
		}
	}
	if !(Shard{}).Has("a") || !(Shard{0, 1}).Has("a") {
		t.Error("one shard does not have all photos")
	}
	// printf a.jpg | sha256sum begins with 509b0d4641a7c3ba.
	if s := (Shard{0x509b0d4641a7c3ba % 1000, 1000}); !s.Has("a.jpg") {
		t.Errorf("a.jpg is not in %v", s)
	}
}

package ifd

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// entries returns a little-endian TIFF with a directory of n widths.
func entries(n int) []byte {
	data := []byte("II*\x00\x08\x00\x00\x00")
	data = binary.LittleEndian.AppendUint16(data, uint16(n))
	for i := range n {
		data = append(data, 0, 1, typeLong, 0, 1, 0, 0, 0, byte(i+1), 0, 0, 0)
	}
	return append(data, 0, 0, 0, 0)
}

// The entries before the end of a cut file are read, and the directory is not whole.
func TestDirectoryCut(t *testing.T) {
	for _, c := range []struct {
		name   string
		data   []byte
		length int
		first  int64
		next   int64
		whole  bool
	}{
		{"whole", entries(3), 50, 1, 0, true},
		{"without the next offset", entries(3), 46, 1, -1, true},
		{"in the third entry", entries(3), 45, 1, -1, false},
		{"in the first entry", entries(3), 21, 0, -1, false},
		{"before the entries", entries(3), 9, 0, -1, false},
		{"no entries", entries(0), 14, 0, 0, false},
		{"too many entries", entries(maxEntries + 1), 8 + 2 + 12*(maxEntries+1) + 4, 0, -1, false},
	} {
		in, ok := Open(bytes.NewReader(c.data), int64(c.length))
		d := in.Directory(in.First)
		if !ok || d.Number(ImageWidth, 0) != c.first || d.Next != c.next || d.Whole != c.whole || in.Err != nil {
			t.Errorf("%s: %t, %+v, %v", c.name, ok, d, in.Err)
		}
	}
}

// Offsets near the largest number are beyond the end of the file, not errors of reading.
func TestDirectoryFarAway(t *testing.T) {
	data := "II+\x00\x08\x00\x00\x00" + strings.Repeat("\xff", 7) + "\x7f"
	in, ok := Open(strings.NewReader(data), int64(len(data)))
	if d := in.Directory(in.First); !ok || d.Whole || d.Next != -1 || in.Err != nil {
		t.Errorf("%t, %+v, %v", ok, d, in.Err)
	}
}

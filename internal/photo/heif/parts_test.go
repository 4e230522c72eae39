package heif

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The parts of real files are where their coded data are, one each for a plain
// picture; Exif and thumbnails are none of them.
func TestParts(t *testing.T) {
	for name, codec := range map[string]string{"photo.heic": "hvc1", "photo.avif": "av01"} {
		data, err := os.ReadFile(filepath.Join("../vips/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		f, err := Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		parts := f.Parts()
		mdat := int64(bytes.Index(data, []byte("mdat")) + 4)
		if len(parts) != 1 || parts[0].Codec != codec || parts[0].At < mdat || parts[0].Length < int64(len(data))*9/10 {
			t.Errorf("%s: %+v, its data are from %d of %d", name, parts, mdat, len(data))
		}
		// Damaged lists end, and never lead out of the file.
		iloc := bytes.Index(data, []byte("iloc"))
		for i := iloc + 4; i < iloc+40; i++ {
			for _, v := range []byte{0, 0x7f, 0xff} {
				broken := bytes.Clone(data)
				broken[i] = v
				f, err := Read(bytes.NewReader(broken), int64(len(broken)))
				if err != nil {
					continue
				}
				for _, p := range f.Parts() {
					if p.At < 0 || p.Length < 1 || p.At+p.Length > int64(len(data)) {
						t.Errorf("%s with %d at %d: %+v", name, v, i, p)
					}
				}
			}
		}
	}
}

// A grid's parts are those of its tiles, each with as many extents as it has; of
// items that are no part of the main picture nothing is listed.
func TestPartsOfGrid(t *testing.T) {
	f := &File{size: 1000, primary: 1, types: map[uint32]string{1: "grid", 2: "hvc1", 3: "hvc1", 9: "hvc1"},
		references: []reference{{"dimg", 1, []uint32{2, 3}}, {"thmb", 9, []uint32{1}}, {"dimg", 3, []uint32{1}}}}
	f.content = []byte{0, 0, 0, 0, 0x44, 0x00, 0, 4,
		0, 2, 0, 0, 0, 1, 0, 0, 0, 100, 0, 0, 0, 10,
		0, 3, 0, 0, 0, 2, 0, 0, 0, 200, 0, 0, 0, 20, 0, 0, 1, 0, 0, 0, 0, 30,
		0, 9, 0, 0, 0, 1, 0, 0, 3, 0, 0, 0, 0, 40,
		0, 1, 0, 0, 0, 1, 0, 0, 3, 0, 0, 0, 9, 9, // beyond the end
	}
	f.boxes = []box{{"iloc", 0, 0, len(f.content)}}
	if got, want := fmt.Sprint(f.Parts()), "[{100 10 hvc1} {200 20 hvc1} {256 30 hvc1}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

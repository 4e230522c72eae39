package tiff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"testing"

	"photodesc/internal/photo/tiff/tifftest"
)

func readAll(t *testing.T, data []byte) []Directory {
	t.Helper()
	f, err := Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f.Directories
}

func picture(width, height int, p tifftest.Picture) tifftest.Picture {
	p.Width, p.Height = width, height
	p.At = func(x, y int, s []uint64) {}
	return p
}

// What a file says is what is read, in each of its four forms.
func TestRead(t *testing.T) {
	short := func(tag int, v ...uint64) tifftest.Tag {
		return tifftest.Tag{Tag: tag, Type: tifftest.Short, Values: v}
	}
	sub := picture(7, 5, tifftest.Picture{Photometric: 5, Samples: 5, Bits: 16, Extra: []int{2}, Tile: 16, Planar: true,
		Orientation: 8, Tags: []tifftest.Tag{short(332, 2), short(346, 1)}})
	page := picture(3, 2, tifftest.Picture{Photometric: 2, Samples: 3, Bits: 32, Format: 3, Subfile: 1, Rows: 1,
		SubIFDs: []tifftest.Picture{sub, sub}, Tags: []tifftest.Tag{{Tag: 34675, Type: tifftest.Undefined, Values: make([]uint64, 200)}}})
	bare := picture(9, 9, tifftest.Picture{Without: []int{258, 259, 262, 277}})
	for _, form := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		list := readAll(t, tifftest.Encode(form[0], form[1], page, bare))
		want := []Directory{
			{SubIFD: -1, Width: 3, Height: 2, Subfile: 1, Thumbnail: true, HasProfile: true, Photometric: 2, Compression: 1, Samples: 3,
				Bits: []int{32, 32, 32}, Format: []int{3, 3, 3}, Inks: 1, ChunkBytes: 3 * 12},
			{SubIFD: 0, Width: 7, Height: 5, Orient: 8, Photometric: 5, Compression: 1, Samples: 5, ExtraSamples: []int{2},
				Bits: []int{16, 16, 16, 16, 16}, Format: []int{1}, Planar: true, Tiled: true, Inks: 2, Indexed: true, ChunkBytes: 16 * 16 * 10},
			{SubIFD: 1, Width: 7, Height: 5, Orient: 8, Photometric: 5, Compression: 1, Samples: 5, ExtraSamples: []int{2},
				Bits: []int{16, 16, 16, 16, 16}, Format: []int{1}, Planar: true, Tiled: true, Inks: 2, Indexed: true, ChunkBytes: 16 * 16 * 10},
			{Page: 1, SubIFD: -1, Width: 9, Height: 9, Photometric: -1, Compression: 1, Samples: 1,
				Bits: []int{1}, Format: []int{1}, Inks: 1, ChunkBytes: 81 / 8},
		}
		for i := range list {
			if list[i].Offset < 8 {
				t.Errorf("%v: directory %d at %d", form, i, list[i].Offset)
			}
			list[i].Offset = 0
		}
		if !reflect.DeepEqual(list, want) {
			t.Errorf("%v:\ngot  %+v\nwant %+v", form, list, want)
		}
	}
}

type broken struct{ err error }

func (b broken) ReadAt([]byte, int64) (int, error) { return 0, b.err }

// What cannot be read, and files that lead in circles.
func TestReadDamaged(t *testing.T) {
	for _, data := range []string{"", "II", "II*\x00\x08\x00\x00\x00", "MM\x00*\x00\x00\x00\x00", "II+\x00\x08\x00\x00\x00",
		"II+\x00\x04\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00", "\xff\xd8\xff\xe0\x00\x00\x00\x00"} {
		if list, err := Read(bytes.NewReader([]byte(data)), int64(len(data))); err != ErrNoDirectory {
			t.Errorf("%q: %v, %v", data, list, err)
		}
	}
	fault := errors.New("no disk")
	if _, err := Read(broken{fault}, 1000); err != fault {
		t.Error(err)
	}
	if _, err := Read(broken{io.EOF}, 1000); err != ErrNoDirectory {
		t.Error(err)
	}
	// A page whose next is itself, and a SubIFD that is its page.
	data := tifftest.Encode(false, false, picture(3, 2, tifftest.Picture{
		Tags: []tifftest.Tag{{Tag: 330, Type: tifftest.Long, Values: []uint64{0}}}}))
	list := readAll(t, data)
	at := uint32(list[0].Offset)
	binary.LittleEndian.PutUint32(data[len(data)-4:], at)
	where := bytes.LastIndex(data, []byte("\x4a\x01\x04\x00\x01\x00\x00\x00")) + 8
	binary.LittleEndian.PutUint32(data[where:], at)
	if list := readAll(t, data); len(list) != 1 {
		t.Errorf("%d directories", len(list))
	}
	// Cut anywhere, the file gives fewer directories, or none.
	data = tifftest.Encode(true, true, picture(3, 2, tifftest.Picture{}), picture(3, 2, tifftest.Picture{}))
	for n := range data {
		if f, err := Read(bytes.NewReader(data[:n]), int64(n)); err == nil && !f.Cut {
			t.Errorf("%d bytes: %+v", n, f)
		}
	}
}

func TestMainPicture(t *testing.T) {
	page := func(p, w, h int, d Directory) Directory {
		d.Page, d.SubIFD, d.Width, d.Height = p, -1, int64(w), int64(h)
		return d
	}
	sub := func(p, i, w, h int, d Directory) Directory {
		d = page(p, w, h, d)
		d.SubIFD = i
		return d
	}
	thumb, none := Directory{Thumbnail: true}, Directory{}
	for _, c := range []struct {
		name                 string
		list                 []Directory
		page, subIFD, orient int
	}{
		{"one", []Directory{page(0, 10, 10, Directory{Orient: 3})}, 0, -1, 3},
		{"first of many", []Directory{page(0, 900, 900, none), page(1, 3000, 3000, none)}, 0, -1, 0},
		{"thumbnail first", []Directory{page(0, 160, 120, Directory{Thumbnail: true, Orient: 6}), page(1, 4000, 3000, none)}, 1, -1, 6},
		{"its own orientation", []Directory{page(0, 160, 120, Directory{Thumbnail: true, Orient: 6}), page(1, 4000, 3000, Directory{Orient: 1})}, 1, -1, 1},
		{"unmarked", []Directory{page(0, 160, 120, Directory{Orient: 6}), page(1, 4000, 3000, none)}, 1, -1, 6},
		{"unmarked, with bars", []Directory{page(0, 160, 120, none), page(1, 6000, 4000, none)}, 1, -1, 0},
		{"of another shape", []Directory{page(0, 320, 240, none), page(1, 6000, 4000, none)}, 0, -1, 0},
		{"of the same shape", []Directory{page(0, 320, 240, none), page(1, 1000, 750, none)}, 1, -1, 0},
		{"not much smaller", []Directory{page(0, 160, 120, none), page(1, 320, 240, none)}, 0, -1, 0},
		{"of a scan's pages", []Directory{page(0, 160, 120, Directory{Subfile: subfilePage}), page(1, 4000, 3000, none)}, 0, -1, 0},
		{"too large for a thumbnail", []Directory{page(0, 800, 600, none), page(1, 4000, 3000, none)}, 0, -1, 0},
		{"mask", []Directory{page(0, 900, 900, Directory{NoPicture: true}), page(1, 900, 900, none)}, 1, -1, 0},
		{"SubIFD", []Directory{page(0, 160, 120, Directory{Thumbnail: true, Orient: 8}), sub(0, 0, 600, 400, none), sub(0, 1, 4000, 3000, none),
			page(1, 5000, 5000, none)}, 0, 1, 8},
		{"SubIFD of another page", []Directory{page(0, 160, 120, Directory{Thumbnail: true, Orient: 8}),
			page(1, 160, 120, Directory{Thumbnail: true, Orient: 5}), sub(1, 0, 600, 400, none)}, 1, 0, 5},
		{"reduced only", []Directory{page(0, 160, 120, thumb), page(1, 640, 480, thumb), page(2, 700, 700, Directory{NoPicture: true})}, 1, -1, 0},
		{"no sizes", []Directory{page(0, 0, 0, none), page(1, 0, 0, none)}, 0, -1, 0},
	} {
		d, err := File{Directories: c.list}.Main()
		if err != nil || d.Page != c.page || d.SubIFD != c.subIFD || d.Orient != c.orient {
			t.Errorf("%s: page %d, SubIFD %d, orientation %d, %v", c.name, d.Page, d.SubIFD, d.Orient, err)
		}
	}
	if d, err := (File{[]Directory{page(0, 160, 120, thumb)}, true}).Main(); err != ErrCut {
		t.Errorf("a thumbnail whose picture is gone: %+v, %v", d, err)
	}
	if _, err := (File{[]Directory{page(0, 160, 120, none)}, true}).Main(); err != nil {
		t.Error("a picture whose next page is gone:", err)
	}
}

func TestAfter(t *testing.T) {
	d := func(page, subIFD int, subfile uint32) Directory {
		return Directory{Page: page, SubIFD: subIFD, Width: 9, Height: 9, Thumbnail: subfile == 1, NoPicture: subfile == 4}
	}
	f := File{Directories: []Directory{d(0, -1, 0), d(0, 0, 0), d(1, -1, 2), d(1, 0, 0), d(2, -1, 1), d(3, -1, 4), d(4, -1, 0), d(5, -1, 0)}}
	for n, want := range [][]int{{}, {1}, {1, 4}, {1, 4, 5}, {1, 4, 5}} {
		got := []int{}
		for _, d := range f.After(f.Directories[0], n) {
			got = append(got, d.Page)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d: got %v, want %v", n, got, want)
		}
	}
}

func TestLayout(t *testing.T) {
	d := func(photometric, samples, bits, format int) Directory {
		return Directory{Photometric: photometric, Samples: samples, Bits: []int{bits}, Format: []int{format}, Inks: 1, Compression: 1}
	}
	extra := func(d Directory, v ...int) Directory {
		d.ExtraSamples = v
		return d
	}
	compressed := func(d Directory, c int) Directory {
		d.Compression = c
		return d
	}
	planar := func(d Directory, tiled bool) Directory {
		d.Planar, d.Tiled = true, tiled
		return d
	}
	for _, c := range []struct {
		name string
		d    Directory
		want Layout
	}{
		{"grey", d(1, 1, 8, 1), Layout{Plain, 1, 1, -1, false}},
		{"fax", compressed(d(0, 1, 1, 1), 4), Layout{Plain, 0, 1, -1, false}},
		{"fax, kind not told", compressed(d(-1, 1, 1, 1), 4), Layout{Samples, 0, 1, -1, false}},
		{"grey of 16 bits", d(1, 1, 16, 1), Layout{Plain, 1, 1, -1, false}},
		{"RGB", d(2, 3, 16, 1), Layout{Plain, 2, 3, -1, false}},
		{"RGB, float", d(2, 3, 32, 3), Layout{Samples, 2, 3, -1, false}},
		{"RGB of one sample", d(2, 1, 8, 1), Layout{Samples, 1, 1, -1, false}},
		{"RGB of two samples", extra(d(2, 2, 8, 1), 2), Layout{Samples, 1, 1, 1, false}},
		{"planes", planar(d(2, 3, 16, 1), false), Layout{Plain, 2, 3, -1, false}},
		{"planes in tiles", planar(d(2, 3, 16, 1), true), Layout{Samples, 2, 3, -1, false}},
		{"alpha", extra(d(2, 4, 8, 1), 2), Layout{Plain, 2, 3, 3, false}},
		{"premultiplied", extra(d(2, 4, 8, 1), 1), Layout{Samples, 2, 3, 3, true}},
		{"no alpha", extra(d(2, 4, 8, 1), 0), Layout{Samples, 2, 3, -1, false}},
		{"not told", d(2, 4, 8, 1), Layout{Samples, 2, 3, -1, false}},
		{"alpha and more", extra(d(2, 5, 8, 1), 2, 0), Layout{Samples, 2, 3, 3, false}},
		{"more and alpha", extra(d(2, 5, 8, 1), 0, 2), Layout{Samples, 2, 3, 4, false}},
		{"too many told", extra(d(2, 4, 8, 1), 2, 2, 2, 2), Layout{Plain, 2, 3, 3, false}},
		{"grey and alpha", extra(d(1, 2, 8, 1), 2), Layout{Plain, 1, 1, 1, false}},
		{"bands", extra(d(1, 4, 8, 1), 0, 0, 0), Layout{Samples, 1, 3, -1, false}},
		{"CMYK", d(5, 4, 8, 1), Layout{Plain, 5, 4, -1, false}},
		{"CMYK and a selection", extra(d(5, 5, 8, 1), 0), Layout{Samples, 5, 4, -1, false}},
		{"CMYK and alpha", extra(d(5, 5, 8, 1), 2), Layout{Samples, 5, 4, 4, false}},
		{"YCbCr", d(6, 3, 8, 1), Layout{RGBA, 6, 3, -1, false}},
		{"YCbCr in JPEG", compressed(d(6, 3, 8, 1), 7), Layout{Plain, 6, 3, -1, false}},
		{"YCbCr in JPEG, planes", planar(compressed(d(6, 3, 8, 1), 7), false), Layout{RGBA, 6, 3, -1, false}},
		{"old JPEG", compressed(d(2, 3, 8, 1), 6), Layout{RGBA, 2, 3, -1, false}},
		{"Lab", d(8, 3, 8, 2), Layout{Samples, 8, 3, -1, false}},
		{"palette", d(3, 1, 8, 1), Layout{Plain, 3, 1, -1, false}},
		{"small palette", d(3, 1, 4, 1), Layout{Samples, 3, 1, -1, false}},
		{"LogLuv", compressed(d(32845, 3, 16, 2), 34676), Layout{RGBA, 32845, 3, -1, false}},
		{"sensor", d(32803, 1, 14, 1), Layout{Raw, 32803, 0, -1, false}},
	} {
		if got, err := c.d.Layout(); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
}

// FuzzRead: whatever the bytes, it ends soon and gives what can be asked further.
func FuzzRead(f *testing.F) {
	for i := range 4 {
		f.Add(tifftest.Encode(i&1 != 0, i&2 != 0, picture(3, 2, tifftest.Picture{Subfile: 1, Extra: []int{2}, Samples: 4,
			SubIFDs: []tifftest.Picture{picture(9, 9, tifftest.Picture{Tile: 16})}}), picture(4, 4, tifftest.Picture{Photometric: 5})))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		list := file.Directories
		if len(list) == 0 || len(list) > maxPages*(1+maxSubIFDs) {
			t.Fatalf("%d directories", len(list))
		}
		if main, err := file.Main(); err == nil {
			list = append(list, main)
		}
		for _, d := range list {
			l, err := d.Layout()
			if err == nil && l.Reader != Raw && (l.Colours < 1 || l.Colours > 4 || l.Alpha >= d.Samples && l.Alpha >= 0) {
				t.Errorf("%+v of %+v", l, d)
			}
			if d.Offset < 8 || d.Offset >= int64(len(data)) || d.ChunkBytes < 0 || d.Orient < 0 || d.Orient > 8 {
				t.Errorf("%+v", d)
			}
		}
	})
}

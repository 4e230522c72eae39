package vips

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/photo"
)

// A photo that an old libheif refuses is the same picture whether it is tried first or
// not, and whether it is read into memory or from its file.
func TestOldLibheif(t *testing.T) {
	defer func(n int64) { inMemory = n }(inMemory)
	defer patchFirst.Store(patchFirst.Load())
	list, err := filepath.Glob("testdata/heic-ios18/*.heic")
	if err != nil || len(list) < 8 {
		t.Fatal(err, list)
	}
	for _, path := range list {
		var want *Image
		for _, limit := range []int64{64 << 20, 0} {
			for _, old := range []bool{false, true} {
				inMemory = limit
				patchFirst.Store(old)
				got := decode(t, path, Options{})
				if want == nil {
					want = got
				}
				if !bytes.Equal(got.Pix, want.Pix) || got.Metadata != want.Metadata {
					t.Errorf("%s, %d bytes in memory, patched first: %t: another picture", path, limit, old)
				}
			}
		}
	}
	// It is remembered that the library is old, if it is.
	patchFirst.Store(false)
	data := readTestdata(t, "heic-ios18/iphone.heic")
	_, err = input{&file{}, data}.decode(noRequest, Options{MaxPixels: DefaultMaxPixels, MaxBytes: DefaultMaxBytes})
	decode(t, "testdata/heic-ios18/iphone.heic", Options{})
	if refused := err != nil; patchFirst.Load() != refused {
		t.Errorf("refused: %t, remembered: %t", refused, patchFirst.Load())
	}
	// Its Exif belongs to the picture and to a tone map, or to this alone.
	for _, name := range []string{"iphone", "tone_map_first", "alpha_and_depth"} {
		img := decode(t, "testdata/heic-ios18/"+name+".heic", Options{})
		if got := img.Metadata.Taken.Format("2006-01-02 15:04:05"); got != "2024-10-05 12:34:56" {
			t.Errorf("%s: taken at %s", name, got)
		}
	}
}

// Of a photo that is cut short it is said that it is, and nothing of references.
func TestOldLibheifDamaged(t *testing.T) {
	data := readTestdata(t, "heic-ios18/iphone.heic")
	for tenth := 1; tenth < 10; tenth++ {
		_, err := Decode(write(t, "a.heic", data[:len(data)*tenth/10]), Options{})
		if photo.KindOf(err) != photo.Unreadable || strings.Contains(err.Error(), "eference") {
			t.Errorf("at %d/10: %v", tenth, err)
		}
	}
	// A tone map of something else is no reason to fail.
	bad := replaced(t, data, "\x00\x00\x00\x10dimg\x00\x3c", "\x00\x00\x00\x10dimg\x00\x3d")
	decode(t, write(t, "a.heic", bad), Options{})
}

// Whole files that libheif does not read are not called damaged.
func TestUnsupportedHEIF(t *testing.T) {
	data := readTestdata(t, "heic-ios18/plain.heic")
	failsAs(t, write(t, "a.heic", replaced(t, data, "\x00\x31\x00\x00grid", "\x00\x31\x00\x00jpeg")), photo.Unsupported,
		`does not read the kind of picture in it, "jpeg"`)
	failsAs(t, write(t, "a.heic", []byte("\x00\x00\x00\x14ftypmsf1\x00\x00\x00\x00hevc\x00\x00\x00\x08moov")), photo.Unsupported,
		"image sequence without a still picture")
}

func replaced(t *testing.T, data []byte, from, to string) []byte {
	t.Helper()
	out := bytes.Replace(data, []byte(from), []byte(to), 1)
	if bytes.Equal(out, data) {
		t.Fatalf("%q is not there", from)
	}
	return out
}

// Code points that mean sRGB, or nothing, leave each byte as it is; others count,
// and less than a profile unless they are of HDR.
func TestCodePointsOfHEIF(t *testing.T) {
	data := readTestdata(t, "heic-ios18/plain.heic")
	plain := decode(t, write(t, "a.heic", data), Options{})
	with := func(primaries, transfer byte, kind string) []byte {
		out := bytes.Clone(data)
		at := bytes.Index(out, []byte("nclx"))
		copy(out[at:], kind)
		out[at+5], out[at+7] = primaries, transfer
		return out
	}
	for _, c := range [][2]byte{{1, 1}, {2, 2}, {1, 6}, {6, 6}, {5, 13}, {1, 14}, {7, 15}, {0, 0}, {255, 255}} {
		got := decode(t, write(t, "a.heic", with(c[0], c[1], "nclx")), Options{})
		if !bytes.Equal(got.Pix, plain.Pix) {
			t.Errorf("%v: pixels have changed", c)
		}
	}
	red := at(plain, 0.3, 0.35)
	for _, c := range []struct {
		primaries, transfer byte
		want                rgb
	}{
		{12, 13, rgb{240, 0, 0}}, // P3: more than sRGB has
		{9, 13, rgb{255, 0, 0}},  // BT.2020
		{1, 8, rgb{239, 79, 79}}, // linear
	} {
		got := at(decode(t, write(t, "a.heic", with(c.primaries, c.transfer, "nclx")), Options{}), 0.3, 0.35)
		if !near(got, c.want, 8) {
			t.Errorf("%d, %d: %v becomes %v, want %v", c.primaries, c.transfer, red, got, c.want)
		}
	}
	// A profile counts, unless the code points are of HDR.
	both := readTestdata(t, "hdr-transfer/profile_and_code_points.heic")
	if got := at(decode(t, write(t, "a.heic", both), Options{}), 0.3, 0.35); !near(got, red, 4) {
		t.Errorf("beside a profile: %v, want %v", got, red)
	}
	both[bytes.Index(both, []byte("nclx"))+7] = 16
	if got := at(decode(t, write(t, "a.heic", both), Options{}), 0.95, 0.05); got[0] < 240 {
		t.Errorf("HDR beside a profile: white is %v", got)
	}
	if got := at(decode(t, write(t, "a.heic", both), Options{}), 0.3, 0.35); near(got, red, 20) {
		t.Errorf("HDR beside a profile: %v", got)
	}
}

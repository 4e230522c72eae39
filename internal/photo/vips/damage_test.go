package vips

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"photodesc/internal/photo"
)

// zeroed is data with zeros from one place to another, in bytes.
func zeroed(data []byte, from, to int) []byte {
	out := bytes.Clone(data)
	clear(out[from:min(to, len(out))])
	return out
}

// isDamaged decodes what must fail as damaged, whole and shrunk.
func isDamaged(t *testing.T, what string, data []byte) {
	t.Helper()
	for _, longest := range []int{0, 100} {
		img, err := Decode(write(t, "a", data), Options{Longest: longest})
		if photo.KindOf(err) != photo.Unreadable || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s for %d: %v", what, longest, err)
			if img != nil {
				t.Logf("%d × %d", img.OrigWidth, img.OrigHeight)
			}
		}
	}
}

// isWhole decodes what must not be called damaged.
func isWhole(t *testing.T, what string, data []byte) *Image {
	t.Helper()
	img, err := Decode(write(t, "a", data), Options{})
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return nil
	}
	if _, err := Decode(write(t, "a", data), Options{Longest: 100}); err != nil {
		t.Errorf("%s, shrunk: %v", what, err)
	}
	return img
}

// zeroTails zeroes the data from each of several places on, and a hole of 4 KiB
// in the middle, between two places of the file.
func zeroTails(t *testing.T, what string, data []byte, from, to int) {
	t.Helper()
	for _, tenth := range []int{1, 3, 5, 7, 9} {
		at := from + (to-from)*tenth/10
		isDamaged(t, fmt.Sprintf("%s, zeros from %d of %d", what, at, len(data)), zeroed(data, at, len(data)))
		if next := (at + 4095) &^ 4095; next < to-200 {
			isDamaged(t, fmt.Sprintf("%s, zeros from %d of %d", what, next, len(data)), zeroed(data, next, len(data)))
		}
	}
	if at := (from + to) / 2; to-at > 5000 {
		isDamaged(t, fmt.Sprintf("%s, a hole at %d of %d", what, at, len(data)), zeroed(data, at, at+4096))
	}
}

// photos are JPEGs with noise, coded in each of the ways there are.
var photos = []string{"photo-standard.jpg", "photo-optimized.jpg", "photo-progressive.jpg", "photo-restart.jpg"}

// noisy is a JPEG of many bits a pixel with the standard tables, which decode
// zeros as if they were a picture.
func noisy(t *testing.T) []byte {
	path := filepath.Join(t.TempDir(), "noisy.jpg")
	writeCameraJPEG(t, path, 640, 480)
	return jpegOf(t, imageOf(decode(t, path, Options{})))
}

func TestDamagedJPEG(t *testing.T) {
	hole := testdata(t, "jpeg_4k_hole.jpg")
	isDamaged(t, "the trial's hole", hole)
	isDamaged(t, "the trial's half of zeros", zeroed(hole, len(hole)/2, len(hole)))
	isDamaged(t, "the trial's zeros", zeroed(hole, len(hole)/10, len(hole)))
	data := noisy(t)
	zeroTails(t, "noisy", data, 700, len(data))
	for _, name := range photos {
		data := testdata(t, name)
		start := bytes.Index(data, []byte{0xff, 0xda}) + 14
		zeroTails(t, name, data, start, len(data))
		isDamaged(t, name+", as text", bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")))
		isDamaged(t, name+", cut", data[:len(data)*9/10])
		garbage := bytes.Clone(data)
		for i := range 4096 {
			garbage[len(data)/2+i] = byte(i * 167 >> 3)
		}
		isDamaged(t, name+", other data in the middle", garbage)
	}
	for _, name := range []string{"black-optimized.jpg", "black-progressive.jpg"} {
		data := testdata(t, name)
		isDamaged(t, name+", zeros at the end", zeroed(data, len(data)*6/10, len(data)))
	}
	arithmetic := testdata(t, "photo-arithmetic.jpg")
	isDamaged(t, "arithmetic coding, cut", arithmetic[:len(arithmetic)*8/10])
	raw := rawFile(noisy(t), 1)
	isDamaged(t, "a preview", zeroed(raw, len(raw)/2, len(raw)))
}

func TestWholeJPEG(t *testing.T) {
	list, err := filepath.Glob(examples + "/*.jpg")
	if err != nil || len(list) < 10 {
		t.Fatal(err, list)
	}
	files := map[string][]byte{
		"black": jpegOf(t, filled(640, 480, 0)), "white": jpegOf(t, filled(640, 480, 255)), "noisy": noisy(t),
		"black below": jpegOf(t, half(600, 400, true)), "black above": jpegOf(t, half(600, 400, false)),
	}
	for _, name := range append(photos, "photo-arithmetic.jpg", "black-optimized.jpg", "black-progressive.jpg") {
		files[name] = testdata(t, name)
	}
	for _, path := range list {
		isWhole(t, path, read(t, filepath.Base(path)))
	}
	for name, data := range files {
		img := isWhole(t, name, data)
		if img == nil {
			continue
		}
		n := len(data) - 2
		if data[n] != 0xff || data[n+1] != 0xd9 {
			t.Fatalf("%s has something behind its end", name)
		}
		end := func(parts ...[]byte) []byte { return slices.Concat(append([][]byte{data[:n:n]}, parts...)...) }
		mark := data[n:]
		junk := bytes.Repeat([]byte("stale"), 60)
		for what, other := range map[string][]byte{
			"zeros behind":         end(mark, make([]byte, 100_000)),
			"a JPEG behind":        end(mark, files["noisy"]),
			"a cut JPEG behind":    end(mark, files["noisy"][:5000]),
			"a trailer":            end(mark, []byte("SEFHe\x00\x00\x00"), make([]byte, 500), []byte("SEFT")),
			"padded":               end(make([]byte, 15), mark),
			"padded more":          end(make([]byte, 500), mark),
			"a block of padding":   end(make([]byte, 4096), mark),
			"padded with ones":     end(bytes.Repeat([]byte{0xff}, 500), mark),
			"padded with anything": end(junk, mark),
			"a comment of zeros":   slices.Concat(data[:2], []byte{0xff, 0xfe, 0x10, 0}, make([]byte, 0xffe), data[2:]),
			"a comment of lines":   slices.Concat(data[:2], []byte{0xff, 0xfe, 0, 22}, bytes.Repeat([]byte("\r\n"), 10), data[2:]),
			"no end mark":          data[:n],
		} {
			if what == "no end mark" && name == "photo-arithmetic.jpg" {
				continue // nothing tells it from a cut one
			}
			got, err := Decode(write(t, "a", other), Options{})
			if err != nil || !bytes.Equal(got.Pix, img.Pix) {
				t.Errorf("%s, %s: %v, or other pixels", name, what, err)
			}
		}
	}
}

// A whole JPEG of a kind that is not read is not damaged.
func TestUnsupportedJPEG(t *testing.T) {
	lossless := jpegOf(t, colourful(64, 64))
	lossless[bytes.Index(lossless, []byte{0xff, 0xc0})+1] = 0xc3
	failsAs(t, write(t, "a.jpg", lossless), photo.Unsupported, "this kind of JPEG is not read: VipsJpeg: Unsupported JPEG process")
	deep := jpegOf(t, colourful(64, 64))
	deep[bytes.Index(deep, []byte{0xff, 0xc0})+4] = 12
	failsAs(t, write(t, "a.jpg", deep), photo.Unsupported, "data precision 12")
}

// A progressive JPEG that claims a huge size is not decoded to hear warnings.
func TestHugeJPEG(t *testing.T) {
	data := testdata(t, "black-progressive.jpg")
	size := data[bytes.Index(data, []byte{0xff, 0xc2})+5:]
	for _, side := range []uint16{20_000, 65_000} {
		binary.BigEndian.PutUint16(size, side)
		binary.BigEndian.PutUint16(size[2:], side)
		before := peak(t)
		failsAs(t, write(t, "a.jpg", data), photo.TooLarge, "")
		if _, _, ok := jpegWarnings(data, Options{MaxBytes: 1 << 20}); ok {
			t.Errorf("%d: the warnings are heard", side)
		}
		if grown := peak(t) - before; grown > 100<<20 {
			t.Errorf("%d: it took %d MiB", side, grown>>20)
		}
	}
}
